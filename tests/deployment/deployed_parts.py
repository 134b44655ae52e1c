"""The stages after training, for the small model of the tests of training."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from bev_parts import bev_loader, bev_model, metrics, to_calibration

from runtime.deployment.hbir_exporter import HbirExporter
from runtime.deployment.hbir_predictor import HbirPredictor
from runtime.deployment.stage_entry import run_predictor, run_tool
from runtime.training.convert import ModelConvertPipeline
from runtime.training.load_checkpoint import LoadCheckpoint
from runtime.training.run_directory import RunDirectory, find_runs


def exporter(stage: str = "calibration", **rules: Any) -> HbirExporter:
    pipeline = ModelConvertPipeline(
        converters=[to_calibration(**rules), LoadCheckpoint(stage=stage)], qat_mode="fuse_bn"
    )
    return HbirExporter(model=bev_model, model_convert_pipeline=pipeline)


def predictor(**changes: Any) -> HbirPredictor:
    """Judges the three samples that the calibration was judged on."""
    arguments: dict[str, Any] = {
        "model": bev_model,
        "val_data_loader": partial(bev_loader, size=3),
        "val_metrics": metrics(),
        "device": "cpu",
    }
    return HbirPredictor(**{**arguments, **changes})


def exported(experiment: Path, build: Callable[[], HbirExporter] = exporter, *argv: str) -> int:
    """The stage `export` as its script runs it; its exit status."""
    return _status(lambda: run_tool("export", experiment, build, list(argv)))


def inferred(experiment: Path, build: Callable[[], HbirPredictor] = predictor, *argv: str) -> int:
    """The stage `int_infer` as its script runs it; its exit status."""
    return _status(lambda: run_predictor("int_infer", experiment, build, list(argv)))


def _status(call: Callable[[], Any]) -> int:
    with pytest.raises(SystemExit) as ended:
        call()
    return int(str(ended.value.code))


def newest(experiment: Path, stage: str) -> RunDirectory:
    return find_runs(experiment, stage)[-1]
