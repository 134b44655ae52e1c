"""The order of drafts: loads well before the work that needs them, so that they run beside other work.

What stands between two instructions in this order decides whether they share addresses: a load that stands
before the work on the part before gets addresses of its own (double buffering), and does not wait for that
work. A store that stands later keeps its source a little longer, and the work after it does not wait for it.
The memory on the chip bounds both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from runtime.bpu.compiler.buffers import Buffer, Draft
from runtime.bpu.program.region import aligned

_LOADS_AHEAD, _STORES_BEHIND = 12, 3
"""By how many compute instructions transfers move at most."""
_PHASES = {"LOAD": 0, "STORE": 2}


def in_order(drafts: Sequence[Draft], buffers: Sequence[Buffer], *, align: int, limit: int) -> list[Draft]:
    """The drafts of a block in the order in which they become instructions.

    Args:
        limit: bytes on the chip up to which buffers may live at one time for the sake of this; what lives at
            one time without it may be more.
    """
    if limit <= 0:
        return list(drafts)
    places = _moved(drafts, buffers, align, limit)
    if any(draft.once for draft in drafts):
        # What every turn has stands in the order that is good for all turns but the first.
        others = iter(_moved([draft for draft in drafts if not draft.once], buffers, align, limit))
        places = [place if draft.once else next(others) for draft, place in zip(drafts, places, strict=True)]
    keys = [
        (place, _PHASES.get(draft.unit, 1), position)
        for position, (draft, place) in enumerate(zip(drafts, places, strict=True))
    ]
    return [drafts[position] for *_, position in sorted(keys)]


def _moved(drafts: Sequence[Draft], buffers: Sequence[Buffer], align: int, limit: int) -> list[int]:
    mover = _Mover(drafts, buffers, align, limit)
    mover.loads_ahead()
    mover.stores_behind()
    return mover.places


class _Mover:
    """Places of drafts, in slots: every compute instruction is one."""

    def __init__(self, drafts: Sequence[Draft], buffers: Sequence[Buffer], align: int, limit: int) -> None:
        self.drafts, self.limit = drafts, limit
        self.places = [draft.slot for draft in drafts]
        self._sizes = [aligned(buffer.size, align) if buffer.is_placed else 0 for buffer in buffers]
        self._live = _live(drafts, self._sizes)
        self._times = _times(drafts)
        self._stores = _by_buffer(drafts, "STORE")
        self._loads = _by_buffer(drafts, "LOAD")
        self._first_of, self._last_of = _first_and_last(drafts)

    def loads_ahead(self) -> None:
        """Moves loads so that each has ended when it is needed, with those after it in mind."""
        needed_by = float("inf")
        for position in reversed(range(len(self.drafts))):
            draft = self.drafts[position]
            if draft.unit != "LOAD":
                continue
            slot = draft.slot
            start = min(float(self._times[slot]), needed_by) - draft.cycles
            wanted = int(np.searchsorted(self._times, start, side="right")) - 1
            earliest = max(0, slot - _LOADS_AHEAD, self._after_stores(position))
            place = min(slot, max(wanted, earliest))
            # A buffer that is loaded in several pieces lives from the first one on.
            if self._first_of[draft.output.buffer] == position:
                place = self._with_room(self._sizes[draft.output.buffer], place, slot)
                self._live[place:slot] += self._sizes[draft.output.buffer]
            self.places[position] = place
            needed_by = max(start, float(self._times[place]))

    def stores_behind(self) -> None:
        """Lets the sources of stores live until these have probably ended."""
        free = 0.0
        last_slot = len(self._times) - 2
        for position, draft in enumerate(self.drafts):
            if draft.unit != "STORE":
                continue
            slot, source = draft.slot, draft.inputs[0].buffer
            free = max(free, float(self._times[slot + 1])) + draft.cycles
            wanted = int(np.searchsorted(self._times, free, side="left")) - 1
            latest = min(last_slot, slot + _STORES_BEHIND, self._before_loads(position))
            place = max(slot, min(wanted, latest))
            if self._last_of[source] == position:
                while (
                    place > slot and self._live[slot + 1 : place + 1].max() + self._sizes[source] > self.limit
                ):
                    place -= 1
                self._live[slot + 1 : place + 1] += self._sizes[source]
            self.places[position] = place

    def _with_room(self, size: int, place: int, slot: int) -> int:
        """The earliest slot from `place` on from which the buffer may live."""
        full = np.flatnonzero(self._live[place:slot] + size > self.limit)
        return place + int(full[-1]) + 1 if len(full) else place

    def _after_stores(self, position: int) -> int:
        """The first slot behind all stores of what a load reads."""
        source = self.drafts[position].inputs[0]
        slots = [
            self.places[store]
            for store in self._stores.get(source.buffer, ())
            if store < position and self.drafts[store].output.meets(source)
        ]
        return max(slots, default=-1) + 1

    def _before_loads(self, position: int) -> int:
        """The last slot before all loads of what a store writes."""
        target = self.drafts[position].output
        slots = [
            self.places[load]
            for load in self._loads.get(target.buffer, ())
            if load > position and self.drafts[load].inputs[0].meets(target)
        ]
        return min(slots, default=len(self._times)) - 1


def _live(drafts: Sequence[Draft], sizes: Sequence[int]) -> NDArray[np.int64]:
    """Bytes that live in each slot."""
    slots: dict[int, tuple[int, int]] = {}
    for draft in drafts:
        for view in (*draft.reads, draft.output):
            first, last = slots.get(view.buffer, (draft.slot, draft.slot))
            slots[view.buffer] = min(first, draft.slot), max(last, draft.slot)
    live = np.zeros(max(draft.slot for draft in drafts) + 1, dtype=np.int64)
    for number, (first, last) in slots.items():
        live[first : last + 1] += sizes[number]
    return live


def _times(drafts: Sequence[Draft]) -> NDArray[np.int64]:
    """Cycles of work before each slot, and of all."""
    cycles = np.zeros(max(draft.slot for draft in drafts) + 2, dtype=np.int64)
    for draft in drafts:
        if draft.unit not in _PHASES:
            cycles[draft.slot + 1] += draft.cycles
    return np.cumsum(cycles)


def _by_buffer(drafts: Sequence[Draft], unit: str) -> dict[int, list[int]]:
    """Positions of transfers by the number of their buffer in DDR."""
    found: dict[int, list[int]] = {}
    for position, draft in enumerate(drafts):
        if draft.unit == unit:
            view = draft.inputs[0] if unit == "LOAD" else draft.output
            found.setdefault(view.buffer, []).append(position)
    return found


def _first_and_last(drafts: Sequence[Draft]) -> tuple[dict[int, int], dict[int, int]]:
    """Positions of the first and the last access to every buffer."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for position, draft in enumerate(drafts):
        for view in (*draft.reads, draft.output):
            first.setdefault(view.buffer, position)
            last[view.buffer] = position
    return first, last
