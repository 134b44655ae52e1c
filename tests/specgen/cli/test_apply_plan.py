"""`specgen run --stage calibration --apply-plan`, with a stage that leaves an analysis."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from specgen import __version__
from specgen.emit.lock import LOCK, digest, lock_text

STAGE = """
import pathlib
run = pathlib.Path(__file__).parents[1] / "runs" / "0001-calibration"
run.mkdir(parents=True)
(run / "analysis.json").write_text({analysis!r})
(run / "run.json").write_text({record!r})
"""
RULES = [{"match": "backbone.stem", "bits": 16}]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "toy.yaml").write_text("name: toy\n")
    return tmp_path


def build(
    project: Path, *, rules: list[dict], spec: str = "specs/toy.yaml", sets: tuple[str, ...] = ()
) -> None:
    folder = project / "experiments" / "toy"
    (folder / "stages").mkdir(parents=True)
    (folder / "spec.yaml").write_text("model: {}\ndata: {}\nstages: {}\n")
    analysis = json.dumps({"version": 1, "plan": {"rules": rules}})
    weights = {"float": {"checkpoint": "runs/0000-float/checkpoints/best.safetensors"}}
    record = json.dumps({"stage": "calibration", "status": "finished", "inputs": weights})
    (folder / "stages" / "calibration.py").write_text(STAGE.format(analysis=analysis, record=record))
    files = {name: digest((folder / name).read_text()) for name in ("spec.yaml", "stages/calibration.py")}
    text = lock_text(version=__version__, spec=spec, sets=sets, tables={"files": files})
    (folder / LOCK).write_text(text)


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "specgen", "run", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def test_the_rules_become_a_new_spec(project: Path) -> None:
    build(project, rules=RULES)
    done = run(project, "--stage", "calibration", "--apply-plan")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr == (
        "specs/toy_int16.yaml raises 1 tensor to int16; build it with `specgen build specs/toy_int16.yaml`\n"
    )
    text = (project / "specs" / "toy_int16.yaml").read_text()
    assert "extends: toy.yaml\n" in text
    assert "    - {match: backbone.stem, bits: 16}\n" in text
    assert (project / "specs" / "toy.yaml").read_text() == "name: toy\n"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rules": []}, "error: the plan proposes no rule: there is nothing to write\n"),
        (
            {"rules": RULES, "spec": "../elsewhere.yaml"},
            "error: the spec that the lock names, `../elsewhere.yaml`, is not in this project\n",
        ),
        (
            {"rules": RULES, "sets": ("march=bayes-e",)},
            "error: `toy` was built with `--set` ['march=bayes-e'], which a new spec would not have\n"
            "hint: write these values into the spec, build it and calibrate again\n",
        ),
    ],
)
def test_why_there_is_no_new_spec(project: Path, settings: dict, message: str) -> None:
    build(project, **settings)
    done = run(project, "--stage", "calibration", "--apply-plan")
    assert (done.returncode, done.stderr) == (1, message)
    assert [path.name for path in (project / "specs").iterdir()] == ["toy.yaml"]


def test_nothing_is_overwritten(project: Path) -> None:
    build(project, rules=RULES)
    (project / "specs" / "toy_int16.yaml").write_text("mine\n")
    done = run(project, "--stage", "calibration", "--apply-plan")
    assert done.returncode == 1
    assert "toy_int16.yaml` exists already\nhint: remove it, or choose another name\n" in done.stderr
    assert (project / "specs" / "toy_int16.yaml").read_text() == "mine\n"


def test_it_goes_with_calibration_only(project: Path) -> None:
    build(project, rules=RULES)
    done = run(project, "--apply-plan")
    assert done.returncode == 2
    assert "goes with it" in done.stderr
