"""Which tensors lie on the chip as a whole, from the layer that makes them to the last that reads them.

Those that save most bytes of DDR for every byte on the chip and group for which they occupy it come first, as
long as every group keeps the room that its parts need.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runtime.bpu.compiler.buffers import Layout
from runtime.bpu.compiler.estimate import Estimator
from runtime.bpu.compiler.groups import Group, Tiling
from runtime.bpu.compiler.tiling import least_room
from runtime.bpu.program.region import aligned

_PARTS = 8
"""A group keeps the room for so many parts, or the least it needs if that is more than its share."""
_SHARE = 3


@dataclass(frozen=True)
class Residency:
    """What lies on the chip as a whole.

    Args:
        on_chip: names of tensors, and of constants that lie there during all turns.
        taken: bytes that they take while each group runs.
    """

    on_chip: frozenset[str]
    taken: tuple[int, ...]


@dataclass(frozen=True)
class _Candidate:
    """A tensor that may stay.

    Args:
        name: of the tensor.
        size: bytes on the chip.
        first: the first group during which it does.
        last: the last one.
        saved: bytes of DDR that need not be moved.
    """

    name: str
    size: int
    first: int
    last: int
    saved: int

    @property
    def merit(self) -> float:
        return self.saved / (self.size * (self.last - self.first + 1))


def choose_residents(
    groups: Sequence[Group], estimate: Estimator, capacity: int, kept: frozenset[str]
) -> Residency:
    """Tensors for which there is room in `capacity` bytes.

    Args:
        kept: constants that lie on the chip besides.
    """
    rooms = [_room(group, kept, estimate, capacity) for group in groups]
    taken, on_chip = [0] * len(groups), kept
    candidates = sorted(
        _candidates(groups, estimate.chip.align), key=lambda item: (-item.merit, item.first, item.name)
    )
    touching = _touching(groups)
    for item in candidates:
        span = range(item.first, item.last + 1)
        if any(taken[place] + item.size > capacity for place in span):
            continue
        with_it = on_chip | {item.name}
        changed = {place: _room(groups[place], with_it, estimate, capacity) for place in touching[item.name]}
        if all(taken[place] + item.size + changed.get(place, rooms[place]) <= capacity for place in span):
            on_chip = with_it
            for place in span:
                taken[place] += item.size
            for place, room in changed.items():
                rooms[place] = room
    return Residency(on_chip, tuple(taken))


def _room(group: Group, on_chip: frozenset[str], estimate: Estimator, capacity: int) -> int:
    usual = estimate(group, Tiling(min(_PARTS, group.max_rows)), on_chip, room=0).room
    if usual <= capacity // _SHARE:
        return usual
    return max(capacity // _SHARE, least_room(group, on_chip, estimate))


def _touching(groups: Sequence[Group]) -> dict[str, list[int]]:
    """The groups that make or read each tensor."""
    found: dict[str, list[int]] = {}
    for place, group in enumerate(groups):
        names = dict.fromkeys(
            name
            for layer in group.layers
            for name in (*group.section.node(layer).inputs, group.section.node(layer).output)
        )
        for name in names:
            found.setdefault(name, []).append(place)
    return found


def _candidates(groups: Sequence[Group], align: int) -> Iterator[_Candidate]:
    if not groups:
        return
    section, touching = groups[0].section, _touching(groups)
    inner = frozenset[str]().union(*(group.inner for group in groups))
    for name, places in touching.items():
        if name in inner or len(places) < 2:
            continue
        tensor = section.types[name]
        size = Layout.of(tensor.dtype, tensor.shape, align).size
        moves = len(places) - 1 if name in section.leaving or name not in section.makers else len(places)
        yield _Candidate(name, aligned(size, align), places[0], places[-1], moves * tensor.bytes)
