"""Whether two regions have a byte in common, told exactly."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np

from runtime.bpu.program.region import Region
from runtime.bpu.simulator.effort import Effort
from runtime.bpu.simulator.memory import array_of

_EASY, _HARD = 10, 10**5
"""Of numpy's search for a common byte: layouts that a compiler makes are easy, others are made to be hard."""
_COST_OF_HARD, _VALUES_AT_COST = 1000, 16
"""So that all of `Effort` takes about as long."""


def share_bytes(a: Region, b: Region, effort: Effort | None = None) -> bool:
    """Whether some byte belongs to both; strides are not negative and steps are not looked at.

    Args:
        a: one.
        b: the other.
        effort: what it may cost; no matter how much by default.

    Raises:
        RunError: it costs too much.
    """
    spend = (effort or Effort(sys.maxsize)).spend
    spend(1)
    if a.memory != b.memory:
        return False
    start, stop = min(a.address, b.address), max(a.address + a.span, b.address + b.span)
    if max(a.address, b.address) >= min(a.address + a.span, b.address + b.span):
        return False
    # Never touched, so that it takes addresses, but no memory.
    nothing = np.zeros(stop - start, dtype=np.uint8)
    first, second = (array_of(nothing, replace(r, address=r.address - start)) for r in (a, b))
    for work, cost in ((_EASY, 0), (_HARD, _COST_OF_HARD)):
        spend(cost)
        try:
            return bool(np.shares_memory(first, second, max_work=work))
        except np.exceptions.TooHardError:
            pass  # the next way is surer and takes longer
    spend((a.values + b.values) // _VALUES_AT_COST)
    first[...] = 1
    return bool(second.any())
