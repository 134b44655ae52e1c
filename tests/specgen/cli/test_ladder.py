"""`specgen ladder`: where it prints what, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from specgen.emit.lock import LOCK

Run = Callable[..., Any]


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    folder = tmp_path / "experiments" / "toy"
    folder.mkdir(parents=True)
    (folder / LOCK).write_text('spec = "toy"\n')
    return folder


def made_run(experiment: Path, name: str, nds: float, samples: int = 4) -> None:
    folder = experiment / "runs" / name
    folder.mkdir(parents=True)
    record = {
        "stage": name.partition("-")[2],
        "status": "finished",
        "metrics": {"best": {"metrics": {"bev_det": {"NDS": nds}}}},
        "inputs": {"val": {"split": "val", "num_samples": samples, "digest": "d" * 64}},
    }
    (folder / "run.json").write_text(json.dumps(record))


def test_three_forms(run: Run, experiment: Path) -> None:
    made_run(experiment, "0001-float", 0.5)
    made_run(experiment, "0002-calibration", 0.25)
    head = "toy, split val, 4 samples, data dddddddddddd"
    text, markdown, data = (run("ladder", *form) for form in ((), ("--markdown",), ("--json",)))
    assert [(done.status, done.err) for done in (text, markdown, data)] == [(0, "")] * 3
    assert text.out == (
        f"{head}\n"
        "\n"
        "stage        run                   NDS\n"
        "float        0001-float         0.5000\n"
        "calibration  0002-calibration   0.2500\n"
        "             against float     -0.2500\n"
    )
    assert markdown.out == (
        f"{head}:\n"
        "\n"
        "| stage | run | NDS |\n"
        "|---|---|---:|\n"
        "| float | 0001-float | 0.5000 |\n"
        "| calibration | 0002-calibration | 0.2500 |\n"
        "|  | against float | -0.2500 |\n"
    )
    rungs = json.loads(data.out)["rungs"]
    assert [(rung["stage"], rung["metrics"]) for rung in rungs] == [
        ("float", {"NDS": 0.5}),
        ("calibration", {"NDS": 0.25}),
    ]


def test_an_experiment_is_named_as_everywhere(run: Run, experiment: Path) -> None:
    made_run(experiment, "0001-float", 0.5)
    assert run("ladder", "toy").out == run("ladder", "experiments/toy").out == run("ladder").out != ""


@pytest.mark.parametrize("form", [(), ("--markdown",), ("--json",)])
def test_what_cannot_be_shown_is_told_on_stderr(run: Run, experiment: Path, form: tuple[str, ...]) -> None:
    none = run("ladder", *form)
    assert (none.status, none.out) == (1, "")
    assert none.err == "error: no stage of `toy` has finished\nhint: run them with `specgen run toy`\n"
    made_run(experiment, "0001-float", 0.5)
    made_run(experiment, "0002-calibration", 0.25, samples=2)
    other = run("ladder", *form)
    assert (other.status, other.out) == (1, "")
    assert other.err == (
        "error: `0001-float` was measured on 4 samples of dddddddddddd, `0002-calibration` on 2 samples of "
        "dddddddddddd\n"
        "hint: run the older one again, as in `specgen run toy --stage float`\n"
    )
