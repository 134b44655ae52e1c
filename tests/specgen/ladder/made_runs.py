"""Runs as `runtime.training` records them, with metrics that are easy to compare."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from specgen.experiment import Experiment

MODEL, PROGRAM = "model.hbir.onnx", "model.hbm"
DATA = "0123456789abcdef" * 4
FLOAT = {
    "bev_det": {"NDS": 0.3124, "mAP": 0.25, "mATE": 0.8, "AP/car": 0.5},
    "bev_seg": {"IoU/others": 0.9, "IoU/divider": 0.4, "IoU/boundary": 0.3, "mIoU": 0.35, "mIoU_all": 0.5},
}
OUTPUTS = {"c": "c0ffee" * 10 + "0123", "other": "0ddba11f" * 8}
PREDICTED = {
    "march": "bayes",
    "latency_us": 692.757,
    "fps": 2887.015,
    "cores": 2,
    "frame": "one surround frame",
    "leave_one_out": 0.1,
    "error": "± 10 % of the analytic model",
}


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


def judged_run(experiment: Experiment, name: str, outputs: str, **settings: Any) -> None:
    told = {"best": {"metrics": lowered(-0.01), "output_digest": OUTPUTS[outputs]}}
    made_run(experiment, name, told, **settings)


def exported_run(experiment: Experiment, name: str, file: str, *, of: str) -> None:
    """A finished run of `export`, of a checkpoint of calibration with this text."""
    made_run(experiment, name, {}, started_from={"calibration": of}, outputs={MODEL: digest(file)})
    (experiment.folder / "runs" / name / MODEL).write_text(file)


def compiled_run(experiment: Experiment, name: str, program: str, *, of: str, **changes: Any) -> None:
    """A finished run of `compile`, of an exported file with this text."""
    outputs, told = {PROGRAM: digest(program)}, {"performance": PREDICTED, **changes}
    made_run(experiment, name, {}, started_from={"export": of}, outputs=outputs, **told)
    (experiment.folder / "runs" / name / PROGRAM).write_text(program)
