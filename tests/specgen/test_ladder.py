"""The ladder on made-up runs: its table in three forms, and what cannot be compared."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from specgen.experiment import Experiment
from specgen.ladder import LadderError, as_json, as_markdown, as_text, columns, ladder

MODEL, PROGRAM = "model.hbir.onnx", "model.hbm"
DATA = "0123456789abcdef" * 4
FLOAT = {
    "bev_det": {"NDS": 0.3124, "mAP": 0.25, "mATE": 0.8, "AP/car": 0.5},
    "bev_seg": {"IoU/others": 0.9, "IoU/divider": 0.4, "IoU/boundary": 0.3, "mIoU": 0.35, "mIoU_all": 0.5},
}


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    folder = tmp_path / "experiments" / "toy"
    folder.mkdir(parents=True)
    return Experiment(folder=folder)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def made_run(
    experiment: Experiment,
    name: str,
    told: Any,
    *,
    weights: str = "",
    started_from: dict[str, str] | None = None,
    **changes: Any,
) -> None:
    """A finished run, as `runtime.training` records it.

    Args:
        experiment: gets it.
        name: of its folder.
        told: its metrics by decoder, or all that the record says of them.
        weights: text of its checkpoint.
        started_from: text of the checkpoints that it started from, by stage.
        changes: of the record.
    """
    folder = experiment.folder / "runs" / name
    (folder / "checkpoints").mkdir(parents=True)
    if weights:
        (folder / "checkpoints" / "best.safetensors").write_text(weights)
    sources = {stage: {"digest": digest(text)} for stage, text in (started_from or {}).items()}
    record = {
        "stage": name.partition("-")[2],
        "status": "finished",
        "metrics": told if told is None or told.keys() <= {"best", "last"} else {"best": {"metrics": told}},
        "inputs": {**sources, "val": {"split": "val", "num_samples": 40, "digest": DATA}},
    }
    (folder / "run.json").write_text(json.dumps({**record, **changes}))


def lowered(change: float) -> dict[str, dict[str, float]]:
    return {
        decoder: {name: value + change for name, value in values.items()} for decoder, values in FLOAT.items()
    }


@pytest.fixture
def three(experiment: Experiment) -> Experiment:
    """Float, calibration and QAT, each from the weights before it; runs of other kinds in between."""
    made_run(experiment, "0001-float", lowered(-0.2), weights="old")
    made_run(experiment, "0002-float", FLOAT, weights="float")
    made_run(experiment, "0003-predict-float", None)
    made_run(experiment, "0004-calibration", lowered(-0.01), weights="c", started_from={"float": "float"})
    made_run(experiment, "0005-float", lowered(-0.3), weights="running", status="running")
    made_run(experiment, "0010-qat", lowered(0.0025), weights="q", started_from={"calibration": "c"})
    return experiment


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


def test_none_has_finished(experiment: Experiment) -> None:
    made_run(experiment, "0001-float", FLOAT, status="interrupted")
    with pytest.raises(LadderError) as caught:
        ladder(experiment)
    assert str(caught.value) == "error: no stage of `toy` has finished\nhint: run them with `specgen run toy`"


@pytest.mark.parametrize(
    "told", [{}, {"best": {"epoch": 1, "step": 4, "metrics": {}}}, {"last": {"metrics": FLOAT}}]
)
def test_a_stage_without_validation_is_left_out(three: Experiment, told: dict[str, Any]) -> None:
    made_run(three, "0011-calibration", told, weights="c")
    assert [rung.stage for rung in ladder(three)] == ["float", "qat"]


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


OUTPUTS = {"c": "c0ffee" * 10 + "0123", "other": "0ddba11f" * 8}


def exported_run(experiment: Experiment, name: str, file: str, *, of: str) -> None:
    """A finished run of `export`, of a checkpoint of calibration with this text."""
    made_run(experiment, name, {}, started_from={"calibration": of}, outputs={MODEL: digest(file)})
    (experiment.folder / "runs" / name / MODEL).write_text(file)


def judged_run(experiment: Experiment, name: str, outputs: str, **settings: Any) -> None:
    told = {"best": {"metrics": lowered(-0.01), "output_digest": OUTPUTS[outputs]}}
    made_run(experiment, name, told, **settings)


@pytest.fixture
def deployed(experiment: Experiment) -> Experiment:
    """Float, calibration, export, and the evaluation of the exported file."""
    made_run(experiment, "0001-float", FLOAT, weights="float")
    judged_run(experiment, "0002-calibration", "c", weights="c", started_from={"float": "float"})
    exported_run(experiment, "0003-export", "file", of="c")
    judged_run(experiment, "0004-int_infer", "c", started_from={"export": "file"})
    return experiment


def test_equal_outputs_are_seen(deployed: Experiment) -> None:
    rungs = ladder(deployed)
    assert as_text(deployed, rungs).splitlines()[2:] == [
        "stage        run                   NDS      mAP     mIoU  IoU divider  IoU boundary   outputs",
        "float        0001-float         0.3124   0.2500   0.3500       0.4000        0.3000",
        "calibration  0002-calibration   0.3024   0.2400   0.3400       0.3900        0.2900  c0ffeec0",
        "             against float     -0.0100  -0.0100  -0.0100      -0.0100       -0.0100",
        "int_infer    0004-int_infer     0.3024   0.2400   0.3400       0.3900        0.2900  c0ffeec0",
        "             against float     -0.0100  -0.0100  -0.0100      -0.0100       -0.0100",
    ]
    assert [rung["outputs"] for rung in as_json(deployed, rungs)["rungs"]] == [
        None,
        OUTPUTS["c"],
        OUTPUTS["c"],
    ]


def test_outputs_that_differ_from_those_of_the_exported_stage_are_told(deployed: Experiment) -> None:
    judged_run(deployed, "0005-int_infer", "other", started_from={"export": "file"})
    assert as_text(deployed, ladder(deployed)).splitlines()[-2:] == [
        "",
        "warning: the outputs of `0005-int_infer` are not those of `0002-calibration`, whose weights it runs",
    ]


def test_a_file_of_older_weights_is_stale_and_may_have_other_outputs(deployed: Experiment) -> None:
    judged_run(deployed, "0005-calibration", "other", weights="new", started_from={"float": "float"})
    rungs = ladder(deployed)
    assert [rung.stale for rung in rungs] == [(), (), ("calibration",)]
    assert as_text(deployed, rungs).splitlines()[-2:] == [
        "",
        "warning: `0004-int_infer` started from weights of `calibration` that are no longer the newest",
    ]


def test_an_older_file_is_stale(deployed: Experiment) -> None:
    exported_run(deployed, "0005-export", "file of another version", of="c")
    assert as_text(deployed, ladder(deployed)).splitlines()[-1] == (
        "warning: `0004-int_infer` started from a file of `export` that is no longer the newest"
    )


def test_outputs_of_learning_stages_differ_and_nothing_is_told(deployed: Experiment) -> None:
    judged_run(deployed, "0005-qat", "other", weights="q", started_from={"calibration": "c"})
    assert "warning" not in as_text(deployed, ladder(deployed))


PREDICTED = {
    "march": "bayes",
    "latency_us": 692.757,
    "fps": 2887.015,
    "cores": 2,
    "frame": "one surround frame",
    "leave_one_out": 0.1,
    "error": "± 10 % of the analytic model",
}
IN_WORDS = "bayes, predicted by 0005-compile: 0.69 ms, 2887.0 frames/s on 2 cores (one surround frame)"


def compiled_run(experiment: Experiment, name: str, program: str, *, of: str, **changes: Any) -> None:
    """A finished run of `compile`, of an exported file with this text."""
    outputs, told = {PROGRAM: digest(program)}, {"performance": PREDICTED, **changes}
    made_run(experiment, name, {}, started_from={"export": of}, outputs=outputs, **told)
    (experiment.folder / "runs" / name / PROGRAM).write_text(program)


@pytest.fixture
def aligned(deployed: Experiment) -> Experiment:
    """The same, compiled, and the evaluation of the program."""
    compiled_run(deployed, "0005-compile", "program", of="file")
    judged_run(deployed, "0006-align_bpu", "c", started_from={"compile": "program"})
    return deployed


def test_the_speed_of_the_program_is_told_below_the_table(aligned: Experiment) -> None:
    rungs = ladder(aligned)
    assert [(rung.stage, rung.outputs, rung.stale) for rung in rungs[1:]] == [
        (stage, OUTPUTS["c"], ()) for stage in ("calibration", "int_infer", "align_bpu")
    ]
    error = PREDICTED["error"]
    text, markdown = as_text(aligned, rungs), as_markdown(aligned, rungs)
    assert text.splitlines()[-3:] == ["", IN_WORDS, f"  error  {error}"]
    assert markdown.splitlines()[-2:] == ["", f"{IN_WORDS}; error {error}"]
    told = {key: value for key, value in PREDICTED.items() if key != "leave_one_out"}
    assert as_json(aligned, rungs)["predicted"] == {"run": "0005-compile", "stale": [], **told}


def test_one_core_is_no_plural(aligned: Experiment) -> None:
    compiled_run(aligned, "0007-compile", "program", of="file", performance={**PREDICTED, "cores": 1})
    assert ": 0.69 ms, 2887.0 frames/s on one core (" in as_text(aligned, ladder(aligned))


def test_a_program_of_an_older_file_is_stale(aligned: Experiment) -> None:
    exported_run(aligned, "0007-export", "file of another version", of="c")
    judged_run(aligned, "0008-int_infer", "c", started_from={"export": "file of another version"})
    rungs = ladder(aligned)
    assert [rung.stale for rung in rungs] == [(), (), (), ("export",)]
    assert as_json(aligned, rungs)["predicted"]["stale"] == ["export"]
    assert as_text(aligned, rungs).splitlines()[-3:] == [
        "",
        "warning: `0006-align_bpu` started from a file of `export` that is no longer the newest",
        "warning: `0005-compile` started from a file of `export` that is no longer the newest",
    ]


def test_an_older_program_is_stale(aligned: Experiment) -> None:
    compiled_run(aligned, "0007-compile", "faster program", of="file", unlocked=["something"])
    assert as_text(aligned, ladder(aligned)).splitlines()[-2:] == [
        "warning: `0006-align_bpu` started from a file of `compile` that is no longer the newest",
        "warning: `0007-compile` ran unlocked: something differed from the experiment's lock",
    ]


def test_a_program_with_other_outputs_is_told(aligned: Experiment) -> None:
    judged_run(aligned, "0007-align_bpu", "other", started_from={"compile": "program"})
    assert as_text(aligned, ladder(aligned)).splitlines()[-1] == (
        "warning: the outputs of `0007-align_bpu` are not those of `0002-calibration`, whose weights it runs"
    )
