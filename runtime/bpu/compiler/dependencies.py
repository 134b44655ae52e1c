"""Which instructions must have ended before each one starts.

An instruction waits for those that wrote what it reads (true), that read or wrote what it writes (anti and
output), and that used the addresses before its buffer got them. What follows from other waits is left out: a
unit's own order, and what an instruction that is waited for has waited for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from runtime.bpu.compiler.buffers import Buffer, Draft, View
from runtime.bpu.program.instruction import UNITS
from runtime.bpu.program.region import Memory

_UNIT = {unit: number for number, unit in enumerate(UNITS)}
_NONE = -1


@dataclass
class _Uses:
    """Accesses to one buffer so far."""

    reads: list[tuple[int, View]] = field(default_factory=list)
    writes: list[tuple[int, View]] = field(default_factory=list)
    before: set[int] = field(default_factory=set)

    def last_of_each_unit(self, drafts: Sequence[Draft]) -> set[int]:
        last: dict[str, int] = {}
        for position, _ in (*self.reads, *self.writes):
            unit = drafts[position].unit
            last[unit] = max(last.get(unit, _NONE), position)
        return set(last.values())


class _Owners:
    """Which buffer had each address of a memory last."""

    def __init__(self) -> None:
        self._spans: list[tuple[int, int, int]] = []

    def take(self, buffer: int, start: int, stop: int) -> set[int]:
        """The buffers that had these addresses; from now on `buffer` has them."""
        kept, before = [], set()
        for a, b, owner in self._spans:
            if a < stop and start < b:
                before.add(owner)
                kept += [(a, start, owner)] if a < start else []
                kept += [(stop, b, owner)] if b > stop else []
            else:
                kept.append((a, b, owner))
        kept.append((start, stop, buffer))
        self._spans = kept
        return before


def dependencies(
    drafts: Sequence[Draft], buffers: Sequence[Buffer], addresses: Sequence[int]
) -> list[tuple[int, ...]]:
    """Positions of earlier drafts that each draft waits for, in rising order."""
    uses: dict[int, _Uses] = {}
    owners: dict[Memory, _Owners] = {"ddr": _Owners(), "chip": _Owners()}
    clocks: list[list[int]] = []
    last_of_unit = [_NONE] * len(UNITS)
    found = []
    for position, draft in enumerate(drafts):
        waits: set[int] = set()
        for view in draft.reads:
            use = _use(view, uses, owners, drafts, buffers, addresses)
            waits.update(p for p, other in use.writes if other.meets(view))
            use.reads.append((position, view))
        view = draft.output
        use = _use(view, uses, owners, drafts, buffers, addresses)
        waits.update(p for p, other in (*use.reads, *use.writes) if p != position and other.meets(view))
        waits |= use.before
        use.writes.append((position, view))
        after, clock = _reduced(waits, _UNIT[draft.unit], last_of_unit, clocks, drafts)
        clocks.append(clock)
        last_of_unit[_UNIT[draft.unit]] = position
        found.append(after)
    return found


def _use(
    view: View,
    uses: dict[int, _Uses],
    owners: dict[Memory, _Owners],
    drafts: Sequence[Draft],
    buffers: Sequence[Buffer],
    addresses: Sequence[int],
) -> _Uses:
    """The accesses to a view's buffer; at the first one it takes its addresses from others."""
    use = uses.get(view.buffer)
    if use is None:
        buffer, start = buffers[view.buffer], addresses[view.buffer]
        use = uses[view.buffer] = _Uses()
        for other in owners[buffer.memory].take(view.buffer, start, start + buffer.size):
            use.before |= uses[other].last_of_each_unit(drafts)
    return use


def _reduced(
    waits: set[int],
    unit: int,
    last_of_unit: list[int],
    clocks: list[list[int]],
    drafts: Sequence[Draft],
) -> tuple[tuple[int, ...], list[int]]:
    """Waits that do not follow from others, and the last instruction of each unit that has ended by then."""
    clock = [_NONE] * len(UNITS)
    if last_of_unit[unit] != _NONE:
        _join(clock, last_of_unit[unit], unit, clocks)
    after = []
    for position in sorted(waits, reverse=True):
        other = _UNIT[drafts[position].unit]
        if clock[other] < position:
            after.append(position)
            _join(clock, position, other, clocks)
    return tuple(reversed(after)), clock


def _join(clock: list[int], position: int, unit: int, clocks: list[list[int]]) -> None:
    for index, known in enumerate(clocks[position]):
        clock[index] = max(clock[index], known)
    clock[unit] = max(clock[unit], position)
