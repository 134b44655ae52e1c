"""Experiments with runs: of learning stages, of an exported file, of a compiled program."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from specgen.experiment import Experiment

sys.path.insert(0, str(Path(__file__).parent))
from made_runs import FLOAT, compiled_run, exported_run, judged_run, lowered, made_run


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    folder = tmp_path / "experiments" / "toy"
    folder.mkdir(parents=True)
    return Experiment(folder=folder)


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


@pytest.fixture
def deployed(experiment: Experiment) -> Experiment:
    """Float, calibration, export, and the evaluation of the exported file."""
    made_run(experiment, "0001-float", FLOAT, weights="float")
    judged_run(experiment, "0002-calibration", "c", weights="c", started_from={"float": "float"})
    exported_run(experiment, "0003-export", "file", of="c")
    judged_run(experiment, "0004-int_infer", "c", started_from={"export": "file"})
    return experiment


@pytest.fixture
def aligned(deployed: Experiment) -> Experiment:
    """The same, compiled, and the evaluation of the program."""
    compiled_run(deployed, "0005-compile", "program", of="file")
    judged_run(deployed, "0006-align_bpu", "c", started_from={"compile": "program"})
    return deployed
