"""A run as a trace file for `chrome://tracing` and Perfetto (Trace Event Format, complete events)."""

from __future__ import annotations

from typing import Any

from runtime.bpu.performance.timeline import Timeline
from runtime.bpu.program.instruction import UNITS
from runtime.bpu.program.program import Program


def chrome_trace(program: Program, times: Timeline, clock_ghz: float) -> dict[str, Any]:
    """Every instruction of every turn, a row for each unit; times in microseconds."""
    us_per_cycle = 1e-3 / clock_ghz
    events: list[dict[str, Any]] = [
        {"name": "thread_name", "ph": "M", "pid": 0, "tid": row, "args": {"name": unit}}
        for row, unit in enumerate(UNITS)
    ]
    for span in times.spans():
        instruction = span.instruction
        layer = program.layers[instruction.layer]
        events.append(
            {
                "name": layer.name,
                "cat": "transfer" if instruction.moves else layer.op,
                "ph": "X",
                "pid": 0,
                "tid": UNITS.index(instruction.unit),
                "ts": round(span.start * us_per_cycle, 3),
                "dur": round((span.end - span.start) * us_per_cycle, 3),
                "args": {"bytes": instruction.output.bytes, "shape": list(instruction.output.shape)},
            }
        )
    return {"displayTimeUnit": "ns", "traceEvents": events}
