"""Runs that cannot be compared are refused, and weights that are no longer the newest are told."""

from __future__ import annotations

from typing import Any

import pytest
from made_runs import DATA, FLOAT, made_run

from specgen.experiment import Experiment
from specgen.ladder import LadderError, as_json, as_markdown, as_text, ladder


def test_none_has_finished(experiment: Experiment) -> None:
    made_run(experiment, "0001-float", FLOAT, status="interrupted")
    with pytest.raises(LadderError) as caught:
        ladder(experiment)
    assert str(caught.value) == "error: no stage of `toy` has finished\nhint: run them with `specgen run toy`"


@pytest.mark.parametrize(("number", "older"), [("0011", "float"), ("0000", "calibration")])
@pytest.mark.parametrize(
    ("val", "said"),
    [
        ({"digest": "f" * 64, "num_samples": 40, "split": "val"}, "40 samples of ffffffffffff"),
        ({"digest": DATA, "num_samples": 8, "split": "val"}, "8 samples of 0123456789ab"),
    ],
)
def test_different_data_are_not_compared(
    experiment: Experiment, number: str, older: str, val: dict[str, Any], said: str
) -> None:
    made_run(experiment, "0002-float", FLOAT)
    made_run(experiment, f"{number}-calibration", FLOAT, inputs={"val": val})
    with pytest.raises(LadderError) as caught:
        ladder(experiment)
    assert str(caught.value) == (
        f"error: `0002-float` was measured on 40 samples of 0123456789ab, `{number}-calibration` on {said}\n"
        f"hint: run the older one again, as in `specgen run toy --stage {older}`"
    )


def test_weights_that_are_no_longer_the_newest_are_told(three: Experiment) -> None:
    made_run(three, "0011-float", FLOAT, weights="better")
    rungs = ladder(three)
    warning = "warning: `0004-calibration` started from weights of `float` that are no longer the newest"
    assert as_text(three, rungs).splitlines()[-2:] == ["", warning]
    assert as_markdown(three, rungs).splitlines()[-2:] == ["", warning]
    assert [rung["stale"] for rung in as_json(three, rungs)["rungs"]] == [[], ["float"], []]


def test_the_same_weights_again_are_not_stale(three: Experiment) -> None:
    made_run(three, "0011-float", FLOAT, weights="float")
    assert not any(rung.stale for rung in ladder(three))


def test_weights_that_are_gone_are_told(three: Experiment) -> None:
    for run in three.folder.glob("runs/*-float"):
        (run / "checkpoints" / "best.safetensors").unlink(missing_ok=True)
    assert [rung.stale for rung in ladder(three)] == [(), ("float",), ()]
