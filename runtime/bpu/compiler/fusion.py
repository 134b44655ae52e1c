"""Which layers are computed together: the cheapest way to cut a section's layers into groups.

Every group is a run of consecutive layers, so the best cut up to a layer follows from the best cuts up to
those before it (dynamic programming). What a group costs is its best tiling's estimate; some tensors between
groups are taken to stay on the chip, the others to pass through DDR. Groups that recompute more than they
save lose by that.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from runtime.bpu.compiler.estimate import Estimator
from runtime.bpu.compiler.groups import Group
from runtime.bpu.compiler.options import CompilerOptions
from runtime.bpu.compiler.parts import cuts_rows
from runtime.bpu.compiler.sections import Section
from runtime.bpu.compiler.tiling import cost_of, tile

MAX_LAYERS = 16
"""Of a group."""
_ROOM = 2
"""Groups are planned for this part of the chip; the rest is for what stays there."""

_LOSSES = 3
"""After so many layers in a row that had better stayed apart, a group is not made longer."""

_Cost = tuple[int, int]


def fused(
    section: Section, small: frozenset[str], estimate: Estimator, capacity: int, options: CompilerOptions
) -> list[Group]:
    """The groups of a section, in order.

    Args:
        small: tensors that are taken to stay on the chip.
    """
    layers = section.layers
    # Up to each layer: what the best cut costs, and where its last group begins.
    best: list[tuple[_Cost, int]] = [((0, 0), 0)] + [((2**62, 0), place) for place in range(len(layers))]
    for place in range(len(layers)):
        before = best[place][0]
        for group, cost in _groups_from(section, place, small, estimate, capacity // _ROOM, options):
            end = place + len(group.layers)
            best[end] = min(best[end], (_sum(before, cost), place))
    cuts = [len(layers)]
    while cuts[-1]:
        cuts.append(best[cuts[-1]][1])
    return [Group(section, layers[a:b]) for b, a in pairwise(cuts)][::-1]


def _groups_from(
    section: Section,
    place: int,
    small: frozenset[str],
    estimate: Estimator,
    room: int,
    options: CompilerOptions,
) -> Iterator[tuple[Group, _Cost]]:
    """The layer at a place alone, then with more and more of those behind it, while that may save."""
    layers = section.layers[place : place + MAX_LAYERS]
    alone = [_alone(section, layer, small, estimate, room, options) for layer in layers]
    yield Group(section, layers[:1]), alone[0]
    name = section.made(layers[0]).name
    if name in small or name in section.leaving or not _joins(section, layers[0], frozenset()):
        return
    inside, least_rows, losses, apart = {name}, 1, 0, alone[0]
    for end in range(2, len(layers) + 1):
        apart = _sum(apart, alone[end - 1])
        if not _joins(section, layers[end - 1], frozenset(inside)):
            return
        inside.add(section.made(layers[end - 1]).name)
        group = Group(section, layers[:end])
        if name not in group.inner:
            continue
        tiled = tile(group, small, room, estimate, options, least_rows=least_rows)
        if tiled is None:
            return
        cost = cost_of(tiled.estimate, options)
        yield group, cost
        # A longer one needs at least as many parts.
        least_rows = tiled.fits_from
        losses = losses + 1 if cost >= apart else 0
        apart = min(apart, cost)
        if losses == _LOSSES:
            return


def _alone(
    section: Section,
    layer: int,
    small: frozenset[str],
    estimate: Estimator,
    room: int,
    options: CompilerOptions,
) -> _Cost:
    """What a layer by itself costs; one that needs more than its room may have all."""
    group = Group(section, (layer,))
    tiled = tile(group, small, room, estimate, options) or tile(group, small, room * _ROOM, estimate, options)
    return (0, 0) if tiled is None else cost_of(tiled.estimate, options)


def _sum(a: _Cost, b: _Cost) -> _Cost:
    return a[0] + b[0], a[1] + b[1]


def _joins(section: Section, layer: int, inside: frozenset[str]) -> bool:
    """Whether a layer can be computed in rows, together with the layers that make `inside`."""
    node, made = section.node(layer), section.made(layer)
    if not cuts_rows(node, made) or any(len(tensor.shape) != 4 for tensor in section.inputs(layer)):
        return False
    # Sampling reads the whole map for any row.
    return not (node.op == "grid_sample" and node.inputs[0] in inside)
