"""A run in intervals: what is in them adds up to the whole."""

from __future__ import annotations

import pytest
from timed_programs import block, slow_program, step, timed

from runtime.bpu.performance.intervals import intervals
from runtime.bpu.performance.timeline import timeline
from runtime.bpu.program.instruction import UNITS

US_PER_CYCLE = 1e-3


@pytest.mark.parametrize("turns", [1, 2, 40])
def test_intervals_add_up_to_the_totals(turns: int) -> None:
    times = timeline(slow_program(turns))
    found = intervals(times, US_PER_CYCLE)
    count = len(found["load_mb_per_s"])
    assert 1 <= count <= 100 and found["interval_us"] >= 1
    assert found["interval_us"] * count == pytest.approx(times.cycles * US_PER_CYCLE)
    seconds = found["interval_us"] * 1e-6
    for unit in UNITS:
        shares = found["utilisation"][unit]
        assert len(shares) == count and all(0 <= share <= 1 for share in shares)
        busy = sum(span.end - span.start for span in times.spans() if span.instruction.unit == unit)
        assert sum(shares) / count == pytest.approx(busy / times.cycles, abs=1e-4)
    for unit, key in (("LOAD", "load_mb_per_s"), ("STORE", "store_mb_per_s")):
        moved = sum(span.instruction.output.bytes for span in times.spans() if span.instruction.unit == unit)
        assert sum(found[key]) * 1e6 * seconds == pytest.approx(moved, abs=0.05 * 1e6 * seconds * count)


def test_each_interval_has_what_happens_in_it() -> None:
    times = timed(block(step("LOAD", 1500), step("TAE", 2500, 0)))
    assert intervals(times, US_PER_CYCLE)["utilisation"] == {
        **dict.fromkeys(UNITS, [0.0] * 4),
        "LOAD": [1.0, 0.5, 0.0, 0.0],
        "TAE": [0.0, 0.5, 1.0, 1.0],
    }


def test_a_run_shorter_than_an_interval_is_one() -> None:
    assert intervals(timed(block(step("TAE", 3))), US_PER_CYCLE)["utilisation"]["TAE"] == [1.0]
