"""What is computed together, in which parts, and what stays on the chip: decided before any instruction."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.bpu.compiler.buffers import Layout
from runtime.bpu.compiler.estimate import Estimator
from runtime.bpu.compiler.fusion import fused
from runtime.bpu.compiler.groups import Group
from runtime.bpu.compiler.options import CompilerOptions
from runtime.bpu.compiler.residency import Residency, choose_residents
from runtime.bpu.compiler.sections import Section
from runtime.bpu.compiler.tiling import Tiled, cost_of, tile

_SMALL = 4
"""At first, tensors of at most this part of the chip are taken to stay there."""
_ROUNDS = 4


@dataclass(frozen=True)
class Share:
    """How much of the chip a plan may use.

    Args:
        residents: bytes for tensors that stay there as a whole, and what the groups need beside them.
        room: bytes for whole tensors and the groups' parts.
    """

    residents: int
    room: int


@dataclass(frozen=True)
class Plan:
    """Of one section.

    Args:
        tiled: groups in their order, with their parts.
        on_chip: tensors that lie on the chip as a whole, and constants that lie there during all turns.
    """

    tiled: tuple[Tiled, ...]
    on_chip: frozenset[str]


def single_layers(section: Section) -> list[Group]:
    """Every layer a group of its own."""
    return [Group(section, (layer,)) for layer in section.layers]


def plan(
    section: Section,
    estimate: Estimator,
    capacity: int,
    share: Share,
    options: CompilerOptions,
    kept: frozenset[str] = frozenset(),
) -> Plan | None:
    """Groups, parts and residents of a section; None if some group does not fit.

    Which layers to join depends on what stays on the chip, and the other way round: they are decided in
    turns, and the best plan of a few rounds is taken.

    Args:
        capacity: bytes on the chip.
        share: of them.
        kept: constants that lie on the chip beside these bytes.
    """
    groups = single_layers(section)
    if options.optimization_level < 2:
        return _with_groups(groups, estimate, share, options, kept)
    found = []
    small = _small(section, estimate.chip.align, capacity // _SMALL) | kept
    for _ in range(_ROUNDS):
        groups = fused(section, small, estimate, capacity, options)
        candidate = _with_groups(groups, estimate, share, options, kept)
        if candidate is None:
            break
        found.append(candidate)
        inner = frozenset[str]().union(*(group.inner for group in groups))
        stays = small & (candidate.on_chip | inner)
        if stays == small:
            break
        small = stays
    single = _with_groups(single_layers(section), estimate, share, options, kept)
    found += [single] if single is not None else []
    return min(found, key=lambda candidate: _cost(candidate, options), default=None)


def _with_groups(
    groups: list[Group],
    estimate: Estimator,
    share: Share,
    options: CompilerOptions,
    kept: frozenset[str],
) -> Plan | None:
    residency = Residency(kept, (0,) * len(groups))
    if options.optimization_level > 0 and share.residents:
        residency = choose_residents(groups, estimate, share.residents, kept)
    tiled = []
    for group, taken in zip(groups, residency.taken, strict=True):
        found = tile(group, residency.on_chip, share.room - taken, estimate, options)
        if found is None:
            return None
        tiled.append(found)
    return Plan(tuple(tiled), residency.on_chip)


def _cost(candidate: Plan, options: CompilerOptions) -> tuple[int, int]:
    costs = [cost_of(tiled.estimate, options) for tiled in candidate.tiled]
    return sum(first for first, _ in costs), sum(second for _, second in costs)


def _small(section: Section, align: int, most: int) -> frozenset[str]:
    """Tensors made here of at most so many bytes that are read here."""
    return frozenset(
        name
        for name in section.makers
        if Layout.of(section.types[name].dtype, section.types[name].shape, align).size <= most
        and section.readers[name]
    )
