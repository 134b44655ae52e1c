"""The trace: every instruction of every turn, in the row of its unit."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import pairwise

import pytest
from timed_programs import slow_program

from runtime.bpu.performance.chrome_trace import chrome_trace
from runtime.bpu.performance.timeline import timeline
from runtime.bpu.program.instruction import UNITS


def test_events_of_all_turns() -> None:
    program = slow_program(turns=3)
    times = timeline(program)
    trace = json.loads(json.dumps(chrome_trace(program, times, clock_ghz=2.0), allow_nan=False))
    names = {event["tid"]: event["args"]["name"] for event in trace["traceEvents"] if event["ph"] == "M"}
    assert names == dict(enumerate(UNITS))
    events = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    assert len(events) == 3 * sum(len(block.instructions) for block in program.blocks)
    rows = defaultdict(list)
    for event, span in zip(events, times.spans(), strict=True):
        layer = program.layers[span.instruction.layer]
        assert names[event["tid"]] == span.instruction.unit and event["name"] == layer.name
        assert event["cat"] == ("transfer" if span.instruction.moves else layer.op)
        assert event["ts"] == pytest.approx(span.start / 2000, abs=1e-3)
        assert event["dur"] == pytest.approx((span.end - span.start) / 2000, abs=1e-3)
        assert event["args"]["bytes"] == span.instruction.output.bytes
        rows[event["tid"]].append(event)
    for row in rows.values():
        assert all(a["ts"] + a["dur"] <= b["ts"] + 2e-3 for a, b in pairwise(row))
