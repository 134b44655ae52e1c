"""Addresses for buffers: those that live at the same time do not overlap, and the peak is low.

Buffers are placed one after the other at the lowest address where they fit between those that live at the
same time; the order decides how good that is. Greedy by size first, then hill climbing: of what lies
highest, or beside it in time, one buffer is moved ahead of another that stands in its way, and the new order
is kept if the peak is no higher.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from runtime.bpu.program.region import aligned

_CLOSE, _GOOD = 1.02, 1.1
"""Peaks over the lower bound at which the search ends: in any case, and if the peak is within the limit."""
_BUDGET = 600_000
"""Buffers that the search may place, from each order that it starts with."""
_BESIDE = 0.3
"""How often a neighbour in time is moved instead of what lies highest."""


@dataclass(frozen=True)
class Lifetime:
    """A buffer to place.

    Args:
        size: in bytes.
        first: when it begins to be needed.
        last: when it is needed last, inclusive.
    """

    size: int
    first: int
    last: int


@dataclass(frozen=True)
class Allocation:
    """Where buffers lie.

    Args:
        addresses: one a buffer, multiples of the alignment.
        peak: end of the highest one.
        lower_bound: most bytes that live at one time: no allocation needs less.
    """

    addresses: tuple[int, ...]
    peak: int
    lower_bound: int

    def above(self, size: int) -> Allocation:
        """The same above so many bytes that are never free."""
        addresses = tuple(address + size for address in self.addresses)
        return Allocation(addresses, self.peak + size, self.lower_bound + size)


def allocate(lifetimes: Sequence[Lifetime], align: int, *, limit: int | None = None) -> Allocation:
    """Addresses for buffers, from 0 on.

    Args:
        align: of all addresses.
        limit: a peak that is low enough.
    """
    sizes = [aligned(max(life.size, 1), align) for life in lifetimes]
    lower = lower_bound(lifetimes, align)
    goal = int(lower * _CLOSE)
    if limit is not None and lower <= limit:
        goal = max(goal, min(limit, int(lower * _GOOD)))
    addresses, peak = _search(sizes, lifetimes, goal)
    return Allocation(tuple(addresses), peak, lower)


def lower_bound(lifetimes: Sequence[Lifetime], align: int) -> int:
    """Most bytes that live at one time."""
    changes: dict[int, int] = {}
    for life in lifetimes:
        size = aligned(max(life.size, 1), align)
        changes[life.first] = changes.get(life.first, 0) + size
        changes[life.last + 1] = changes.get(life.last + 1, 0) - size
    live, most = 0, 0
    for time in sorted(changes):
        live += changes[time]
        most = max(most, live)
    return most


def _search(sizes: Sequence[int], lifetimes: Sequence[Lifetime], goal: int) -> tuple[list[int], int]:
    together = _together(lifetimes)
    best: tuple[list[int], int] | None = None
    for order in _orders(sizes, lifetimes):
        found = _climb(sizes, order, together, goal)
        if best is None or found[1] < best[1]:
            best = found
        if best[1] <= goal:
            break
    assert best is not None
    return best


def _orders(sizes: Sequence[int], lifetimes: Sequence[Lifetime]) -> Iterator[list[int]]:
    """Orders to start from: large ones first, and those that are large for long."""
    numbers = range(len(sizes))
    yield sorted(numbers, key=lambda i: (-sizes[i], lifetimes[i].first, i))
    spans = [life.last - life.first + 1 for life in lifetimes]
    yield sorted(numbers, key=lambda i: (-sizes[i] * spans[i], lifetimes[i].first, i))


def _together(lifetimes: Sequence[Lifetime]) -> list[list[int]]:
    """For each buffer those that live at some time when it does, without itself."""
    first = np.array([life.first for life in lifetimes], dtype=np.int64)
    last = np.array([life.last for life in lifetimes], dtype=np.int64)
    found = []
    for number, life in enumerate(lifetimes):
        others = np.flatnonzero((first <= life.last) & (last >= life.first)).tolist()
        others.remove(number)
        found.append(others)
    return found


def _climb(
    sizes: Sequence[int], order: list[int], together: Sequence[Sequence[int]], goal: int
) -> tuple[list[int], int]:
    rng = random.Random(0)
    addresses, peak = _place(sizes, order, together, None)
    for _ in range(_BUDGET // max(1, len(sizes))):
        if peak <= goal:
            break
        candidate = _moved_ahead(sizes, order, addresses, peak, together, rng)
        if candidate is None:
            continue
        found, found_peak = _place(sizes, candidate, together, peak)
        if found_peak <= peak:
            order, addresses, peak = candidate, found, found_peak
    return addresses, peak


def _moved_ahead(
    sizes: Sequence[int],
    order: list[int],
    addresses: Sequence[int],
    peak: int,
    together: Sequence[Sequence[int]],
    rng: random.Random,
) -> list[int] | None:
    """Another order; None if the buffer that was drawn stands ahead of all that live when it does."""
    highest = [number for number in range(len(sizes)) if addresses[number] + sizes[number] == peak]
    moved = rng.choice(highest)
    if together[moved] and rng.random() < _BESIDE:
        moved = rng.choice(together[moved])
    place = order.index(moved)
    beside = set(together[moved])
    ahead = [target for target in range(place) if order[target] in beside]
    if not ahead:
        return None
    target = rng.choice(ahead)
    return [*order[:target], moved, *order[target:place], *order[place + 1 :]]


def _place(
    sizes: Sequence[int], order: Sequence[int], together: Sequence[Sequence[int]], stop: int | None
) -> tuple[list[int], int]:
    """Addresses of all buffers, placed in an order, and the peak; unfinished when that passes `stop`."""
    addresses, peak = [-1] * len(sizes), 0
    for number in order:
        size, address = sizes[number], 0
        placed = [(addresses[i], sizes[i]) for i in together[number] if addresses[i] >= 0]
        placed.sort()
        for start, length in placed:
            if start - address >= size:
                break
            address = max(address, start + length)
        addresses[number] = address
        peak = max(peak, address + size)
        if stop is not None and peak > stop:
            break
    return addresses, peak
