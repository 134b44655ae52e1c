"""A run as a trace file for `chrome://tracing` and Perfetto (Trace Event Format, complete events)."""

from __future__ import annotations

from typing import Any

from runtime.bpu.performance.timeline import Timeline
from runtime.bpu.program.instruction import UNITS
from runtime.bpu.program.program import Program


def chrome_trace(program: Program, times: Timeline, clock_ghz: float) -> dict[str, Any]:
    """Every instruction of every turn, a row for each unit; times in microseconds."""

    def microseconds(cycle: int) -> float:
        return round(cycle * 1e-3 / clock_ghz, 3)

    events: list[dict[str, Any]] = [
        {"name": "process_name", "ph": "M", "pid": 0, "args": {"name": program.march}}
    ]
    for row, unit in enumerate(UNITS):
        thread = {"ph": "M", "pid": 0, "tid": row}
        events.append({**thread, "name": "thread_name", "args": {"name": unit}})
        events.append({**thread, "name": "thread_sort_index", "args": {"sort_index": row}})
    for span in times.spans():
        instruction = span.instruction
        layer = program.layers[instruction.layer]
        # Both ends are rounded alike: events of a row that overlap would be drawn inside each other.
        start, end = microseconds(span.start), microseconds(span.end)
        events.append(
            {
                "name": layer.name,
                "cat": "transfer" if instruction.moves else layer.op,
                "ph": "X",
                "pid": 0,
                "tid": UNITS.index(instruction.unit),
                "ts": start,
                "dur": round(end - start, 3),
                "args": {"bytes": instruction.output.bytes, "shape": list(instruction.output.shape)},
            }
        )
    return {"displayTimeUnit": "ns", "traceEvents": events}
