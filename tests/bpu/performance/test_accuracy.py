"""The error of a program's latency: of the same options, of this march, in the words of all reports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime.bpu.compiler import CompilerOptions
from runtime.bpu.march import load_march
from runtime.bpu.march_data import March, ScheduleAccuracy
from runtime.bpu.performance.accuracy import schedule_accuracy

USUAL = CompilerOptions().as_mapping()


def march(rows: int, error: float | None, left_out: dict[str, float] | None) -> March:
    given = load_march("bayes-e")
    schedule = None if left_out is None else ScheduleAccuracy(left_out, "compiled")
    accuracy = replace(given.accuracy, rows=rows, leave_one_out=error, schedule=schedule)
    return replace(given, accuracy=accuracy)


def test_the_error_of_schedules_beside_that_of_the_model() -> None:
    found = schedule_accuracy(march(5, 0.1234, {"a": 0.1, "b": -0.2}), USUAL)
    assert found["text"] == "± 15.0 % (leave-one-out over 2 measured networks, one image a run)"
    assert (found["leave_one_out"], found["measured_networks"]) == (pytest.approx(0.15), 2)
    assert found["bias"] == pytest.approx(-0.05)
    assert found["analytic"] == {
        "text": "± 12.3 % (leave-one-out over 5 measured networks, one image a run)",
        "leave_one_out": 0.1234,
    }


@pytest.mark.parametrize(
    "options", [CompilerOptions(1), CompilerOptions(2, "ddr"), CompilerOptions(row_parts=3)]
)
def test_other_options_have_no_error(options: CompilerOptions) -> None:
    found = schedule_accuracy(march(5, 0.1, {"a": 0.1}), options.as_mapping())
    assert found["leave_one_out"] is None
    assert found["text"] == (
        "not known for these options: the measured networks were compiled at level 2 for latency"
    )


@pytest.mark.parametrize(
    ("rows", "error", "text"),
    [
        (0, None, "no measurement of this march: order of magnitude"),
        (1, None, "1 network measured, too few for an error: order of magnitude"),
        (5, 0.1, "not known: the measured networks were not compiled for this march"),
    ],
)
def test_marches_without(rows: int, error: float | None, text: str) -> None:
    found = schedule_accuracy(march(rows, error, None), USUAL)
    assert (found["text"], found["leave_one_out"], found["bias"]) == (text, None, None)
    assert found["measured_networks"] == rows
