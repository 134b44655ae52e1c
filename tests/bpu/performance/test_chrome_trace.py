"""The trace: every instruction of every turn, in the row of its unit."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from timed_programs import block, slow_program, step, with_blocks

from runtime.bpu.performance.chrome_trace import chrome_trace
from runtime.bpu.performance.timeline import timeline
from runtime.bpu.program.instruction import UNITS


def test_events_of_all_turns() -> None:
    program = slow_program(turns=3)
    times = timeline(program)
    trace = json.loads(json.dumps(chrome_trace(program, times, clock_ghz=2.0), allow_nan=False))
    told = [event for event in trace["traceEvents"] if event["ph"] == "M"]
    names = {event["tid"]: event["args"]["name"] for event in told if event["name"] == "thread_name"}
    assert names == dict(enumerate(UNITS))
    assert [event["args"] for event in told if event["name"] == "process_name"] == [{"name": "bayes"}]
    events = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    assert len(events) == 3 * sum(len(block.instructions) for block in program.blocks)
    for event, span in zip(events, times.spans(), strict=True):
        layer = program.layers[span.instruction.layer]
        assert names[event["tid"]] == span.instruction.unit and event["name"] == layer.name
        assert event["cat"] == ("transfer" if span.instruction.moves else layer.op)
        assert event["ts"] == pytest.approx(span.start / 2000, abs=1e-3)
        assert event["dur"] == pytest.approx((span.end - span.start) / 2000, abs=1e-3)
        assert event["args"]["bytes"] == span.instruction.output.bytes


@pytest.mark.parametrize("clock_ghz", [0.95, 1.5])
def test_events_of_a_row_do_not_overlap(clock_ghz: float) -> None:
    """Of cycles that are no whole number of nanoseconds, too: each ends where the next one begins."""
    steps = [step("TAE", cycles) for cycles in (2, 2, 5, 4, 2, 7, 100, 3)]
    program = with_blocks(block(*steps, turns=3))
    events = chrome_trace(program, timeline(program), clock_ghz)["traceEvents"]
    nanoseconds = [
        (round(event["ts"] * 1000), round(event["dur"] * 1000)) for event in events if event["ph"] == "X"
    ]
    assert len(nanoseconds) == 24 and all(length > 0 for _, length in nanoseconds)
    assert all(start + length == after for (start, length), (after, _) in pairwise(nanoseconds))
