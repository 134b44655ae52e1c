"""Addresses: no two buffers that live at one time overlap, and the peak is near the least possible."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.bpu.compiler.allocation import Allocation, Lifetime, allocate

lifetimes = st.builds(
    lambda size, first, length: Lifetime(size, first, first + length),
    st.integers(0, 300),
    st.integers(0, 20),
    st.integers(0, 20),
)


def check(buffers: list[Lifetime], align: int, found: Allocation) -> None:
    assert len(found.addresses) == len(buffers)
    ends = [address + life.size for address, life in zip(found.addresses, buffers, strict=True)]
    assert all(address >= 0 and address % align == 0 for address in found.addresses)
    assert max(ends, default=0) <= found.peak
    for i, (a, start, end) in enumerate(zip(buffers, found.addresses, ends, strict=True)):
        for b, other, other_end in list(zip(buffers, found.addresses, ends, strict=True))[:i]:
            if a.first <= b.last and b.first <= a.last:
                assert end <= other or other_end <= start


def live_bytes(buffers: list[Lifetime], align: int) -> int:
    """Counted time by time, as the definition says."""
    sizes = [-(-max(life.size, 1) // align) * align for life in buffers]
    return max(
        (
            sum(size for size, life in zip(sizes, buffers, strict=True) if life.first <= time <= life.last)
            for time in range(50)
        ),
        default=0,
    )


@settings(max_examples=200, deadline=None)
@given(st.lists(lifetimes, max_size=25), st.sampled_from([1, 8, 32, 64]))
def test_nothing_overlaps(buffers: list[Lifetime], align: int) -> None:
    found = allocate(buffers, align)
    check(buffers, align, found)
    assert found.lower_bound == live_bytes(buffers, align) <= found.peak
    assert found == allocate(buffers, align)


def test_buffers_that_follow_each_other_share_their_addresses() -> None:
    found = allocate([Lifetime(100, time, time) for time in range(10)], 32)
    assert set(found.addresses) == {0}
    assert found.peak == found.lower_bound == 128


def test_nothing_to_place() -> None:
    assert allocate([], 32) == Allocation((), 0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_the_search_improves_on_large_ones_first(seed: int) -> None:
    """Tiles of some layers around tensors that live long, as compiled networks have them."""
    rng = np.random.default_rng(seed)
    buffers = []
    for time in range(0, 400, 4):
        buffers += [
            Lifetime(int(rng.integers(20, 200)), time, time + int(rng.integers(2, 9))) for _ in range(3)
        ]
        if rng.integers(4) == 0:
            buffers.append(Lifetime(int(rng.integers(100, 900)), time, time + int(rng.integers(8, 60))))
    found = allocate(buffers, 32)
    check(buffers, 32, found)
    assert found.peak <= 1.15 * found.lower_bound


def test_the_search_ends_within_the_limit() -> None:
    rng = np.random.default_rng(0)
    buffers = [Lifetime(int(s), int(t), int(t + n)) for s, t, n in rng.integers(1, 60, size=(200, 3))]
    best = allocate(buffers, 8)
    enough = allocate(buffers, 8, limit=2 * best.peak)
    assert best.peak <= enough.peak <= 1.1 * best.lower_bound
