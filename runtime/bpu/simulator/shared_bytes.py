"""Whether two regions have a byte in common, told exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from runtime.bpu.program.region import Region
from runtime.bpu.simulator.memory import array_of

_MAX_WORK = 10**5
"""Of numpy's search for a common byte, which can take long for layouts made to be hard."""


def share_bytes(a: Region, b: Region) -> bool:
    """Whether some byte belongs to both; strides are not negative and steps are not looked at."""
    if a.memory != b.memory:
        return False
    start, stop = min(a.address, b.address), max(a.address + a.span, b.address + b.span)
    if max(a.address, b.address) >= min(a.address + a.span, b.address + b.span):
        return False
    # Never touched, so that it takes addresses, but no memory.
    nothing = np.zeros(stop - start, dtype=np.uint8)
    first, second = (array_of(nothing, replace(r, address=r.address - start)) for r in (a, b))
    try:
        return bool(np.shares_memory(first, second, max_work=_MAX_WORK))
    except np.exceptions.TooHardError:
        first[...] = 1
        return bool(second.any())
