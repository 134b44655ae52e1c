"""The table of the ladder in three forms: its rows, its columns, and values that are no numbers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from made_runs import DATA, FLOAT, lowered, made_run

from specgen.experiment import Experiment
from specgen.ladder import as_json, as_markdown, as_text, columns, ladder


def test_text(three: Experiment) -> None:
    assert as_text(three, ladder(three)) == (
        "toy, split val, 40 samples, data 0123456789ab\n"
        "\n"
        "stage        run                   NDS      mAP     mIoU  IoU divider  IoU boundary\n"
        "float        0002-float         0.3124   0.2500   0.3500       0.4000        0.3000\n"
        "calibration  0004-calibration   0.3024   0.2400   0.3400       0.3900        0.2900\n"
        "             against float     -0.0100  -0.0100  -0.0100      -0.0100       -0.0100\n"
        "qat          0010-qat           0.3149   0.2525   0.3525       0.4025        0.3025\n"
        "             against float     +0.0025  +0.0025  +0.0025      +0.0025       +0.0025"
    )


def test_markdown(three: Experiment) -> None:
    assert as_markdown(three, ladder(three)) == (
        "toy, split val, 40 samples, data 0123456789ab:\n"
        "\n"
        "| stage | run | NDS | mAP | mIoU | IoU divider | IoU boundary |\n"
        "|---|---|---:|---:|---:|---:|---:|\n"
        "| float | 0002-float | 0.3124 | 0.2500 | 0.3500 | 0.4000 | 0.3000 |\n"
        "| calibration | 0004-calibration | 0.3024 | 0.2400 | 0.3400 | 0.3900 | 0.2900 |\n"
        "|  | against float | -0.0100 | -0.0100 | -0.0100 | -0.0100 | -0.0100 |\n"
        "| qat | 0010-qat | 0.3149 | 0.2525 | 0.3525 | 0.4025 | 0.3025 |\n"
        "|  | against float | +0.0025 | +0.0025 | +0.0025 | +0.0025 | +0.0025 |"
    )


def test_json(three: Experiment) -> None:
    def flat(metrics: dict[str, dict[str, float]]) -> dict[str, float]:
        return {**metrics["bev_det"], **metrics["bev_seg"]}

    assert as_json(three, ladder(three)) == {
        "experiment": "toy",
        "split": "val",
        "num_samples": 40,
        "data": DATA,
        "predicted": None,
        "rungs": [
            {"stage": "float", "run": "0002-float", "metrics": flat(FLOAT), "outputs": None, "stale": []},
            {
                "stage": "calibration",
                "run": "0004-calibration",
                "metrics": flat(lowered(-0.01)),
                "outputs": None,
                "stale": [],
            },
            {
                "stage": "qat",
                "run": "0010-qat",
                "metrics": flat(lowered(0.0025)),
                "outputs": None,
                "stale": [],
            },
        ],
    }


def test_one_rung_is_compared_with_nothing(experiment: Experiment) -> None:
    made_run(experiment, "0001-calibration", {"bev_det": {"NDS": 0.25}})
    made_run(experiment, "0002-qat", {"bev_det": {"NDS": 0.3}})
    text = as_text(experiment, ladder(experiment))
    assert text.splitlines()[2:] == [
        "stage        run                      NDS",
        "calibration  0001-calibration      0.2500",
        "qat          0002-qat              0.3000",
        "             against calibration  +0.0500",
    ]


@pytest.mark.parametrize(
    "told", [{}, {"best": {"epoch": 1, "step": 4, "metrics": {}}}, {"last": {"metrics": FLOAT}}]
)
def test_a_stage_without_validation_is_left_out(three: Experiment, told: dict[str, Any]) -> None:
    made_run(three, "0011-calibration", told, weights="c")
    assert [rung.stage for rung in ladder(three)] == ["float", "qat"]


def test_what_is_no_number_is_not_compared(experiment: Experiment) -> None:
    """`run.json` has null for NaN."""
    none = {"bev_det": {"NDS": 0.3, "mAP": None}, "bev_seg": {"mIoU": None, "IoU/divider": 0.1}}
    made_run(experiment, "0001-float", none)
    made_run(experiment, "0002-calibration", {"bev_det": {"NDS": 0.2, "mAP": 0.1}, "bev_seg": {"mIoU": None}})
    rungs = ladder(experiment)
    assert as_text(experiment, rungs).splitlines()[2:] == [
        "stage        run                   NDS     mAP  mIoU  IoU divider",
        "float        0001-float         0.3000     n/a   n/a       0.1000",
        "calibration  0002-calibration   0.2000  0.1000   n/a          n/a",
        "             against float     -0.1000",
    ]
    metrics = [rung["metrics"] for rung in as_json(experiment, rungs)["rungs"]]
    assert metrics[0] == {"NDS": 0.3, "mAP": None, "mIoU": None, "IoU/divider": 0.1}
    json.dumps(metrics, allow_nan=False)


def test_columns_are_in_the_order_of_importance(experiment: Experiment) -> None:
    made_run(experiment, "0001-float", {"seg": {"IoU/b": 1, "mIoU": 1}, "det": {"mAP": 1}})
    made_run(experiment, "0002-qat", {"seg": {"IoU/a": 1, "IoU/b": 1}, "det": {"NDS": 1, "AP/car": 1}})
    assert columns(ladder(experiment)) == ["NDS", "mAP", "mIoU", "IoU/b", "IoU/a"]
