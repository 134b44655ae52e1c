"""A run in equal intervals: how busy each unit is, and what goes through DDR."""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.bpu.performance.timeline import Timeline
from runtime.bpu.program.instruction import UNITS

_MOST = 100


def intervals(times: Timeline, us_per_cycle: float) -> dict[str, Any]:
    """At most 100 intervals, each at least one microsecond.

    Returns:
        `interval_us`; `utilisation` of each unit, 0 to 1; `load_mb_per_s` and `store_mb_per_s` of DDR.
    """
    cycles = max(1, times.cycles)
    count = max(1, min(_MOST, int(cycles * us_per_cycle)))
    width = cycles / count
    busy = {unit: np.zeros(count) for unit in UNITS}
    moved = {"LOAD": np.zeros(count), "STORE": np.zeros(count)}
    for span in times.spans():
        unit, length = span.instruction.unit, span.end - span.start
        first, last = int(span.start / width), min(count - 1, int((span.end - 1) / width))
        edges = np.arange(first, last + 1)
        overlap = np.minimum((edges + 1) * width, span.end) - np.maximum(edges * width, span.start)
        busy[unit][first : last + 1] += overlap
        if span.instruction.moves:
            moved[unit][first : last + 1] += overlap / length * span.instruction.output.bytes
    seconds = width * us_per_cycle * 1e-6
    return {
        "interval_us": width * us_per_cycle,
        "utilisation": {unit: [round(float(v), 4) for v in busy[unit] / width] for unit in UNITS},
        "load_mb_per_s": [round(float(v) / seconds / 1e6, 1) for v in moved["LOAD"]],
        "store_mb_per_s": [round(float(v) / seconds / 1e6, 1) for v in moved["STORE"]],
    }
