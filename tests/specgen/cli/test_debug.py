"""`specgen debug`: it reads what a calibration has left, and says what to do where there is nothing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from specgen.cli import app
from specgen.emit.lock import LOCK

LAYER = {"op": "conv", "bits": 8, "alone": None}
COST = {"macs": 100, "bytes": 1000, "cycles": None}


def analysis(**changes: Any) -> dict[str, Any]:
    """As small as an analysis can be."""
    step = {
        **{"name": "stem", "rule": {"match": "stem", "bits": 16}, "loss_increase": 0.5, "output_error": 0.1},
        "extra": {"macs": 10, "bytes": 25, "cycles": None},
    }
    points = [
        {"raised": 0, "loss": 2.0, "output_sqnr_db": 20.0, "extra": {"macs": 0, "bytes": 0, "cycles": None}},
        {"raised": 1, "loss": 1.2, "output_sqnr_db": 30.0, "extra": step["extra"]},
    ]
    plan = {
        **{"float_loss": 1.0, "base": COST, "steps": [step], "points": points, "chosen": 1, "wanted": 0.5},
        **{"skipped": [], "rules": [step["rule"]]},
    }
    return {
        **{"version": 1, "march": None, "num_samples": 4, "sensitivity_samples": 2},
        **{"float_loss": 1.0, "fixed_loss": 2.0, "output_sqnr_db": 20.0, "ranges": [], "worst_samples": []},
        "layers": [
            {**LAYER, "name": "good", "accumulated": {"sqnr_db": 50.0, "cosine": 1.0}},
            {**LAYER, "name": "poor", "accumulated": {"sqnr_db": 9.0, "cosine": 0.9}},
        ],
        "sensitivity": [
            {
                **{"name": "stem", "kind": "activation", "op": "conv", "bits": 8, "loss_increase": 0.5},
                **{"output_error": 0.1, "output_sqnr_db": 10.0},
            }
        ],
        "plan": plan,
        **changes,
    }


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "experiments" / "toy"
    folder.mkdir(parents=True)
    (folder / LOCK).write_text('spec = "toy"\n')
    monkeypatch.chdir(tmp_path)
    return folder


def add_run(experiment: Path, name: str, text: str | None) -> Path:
    folder = experiment / "runs" / name
    folder.mkdir(parents=True)
    if text is not None:
        (folder / "analysis.json").write_text(text)
    return folder


def test_newest_run_that_has_an_analysis(experiment: Path) -> None:
    add_run(experiment, "0001-calibration", json.dumps(analysis(num_samples=1)))
    add_run(experiment, "0009-qat", json.dumps(analysis(num_samples=9)))
    newest = add_run(experiment, "0010-calibration", json.dumps(analysis(num_samples=10)))
    add_run(experiment, "0011-calibration", None)
    add_run(experiment, "0012-float", None)
    result = CliRunner().invoke(app, ["debug"])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "run 0010-calibration"
    assert "on 10 samples" in lines[1]
    assert lines[-1] == f"the same with distributions: {newest / 'analysis.html'}"
    poor, good = (next(at for at, line in enumerate(lines) if name in line) for name in ("poor", "good"))
    assert poor < good
    assert "  - {match: stem, bits: 16}  # +2.50 % bytes" in lines


def test_one_run_by_number_or_name(experiment: Path) -> None:
    add_run(experiment, "0001-calibration", json.dumps(analysis(num_samples=1)))
    add_run(experiment, "0002-calibration", json.dumps(analysis(num_samples=2)))
    for name in ("0001", "0001-calibration"):
        result = CliRunner().invoke(app, ["debug", "toy", "--run", name])
        assert result.stdout.splitlines()[0] == "run 0001-calibration"


def test_json_and_top(experiment: Path) -> None:
    add_run(experiment, "0001-calibration", json.dumps(analysis()))
    assert json.loads(CliRunner().invoke(app, ["debug", "--json"]).stdout) == analysis()
    short = CliRunner().invoke(app, ["debug", "--top", "1"]).stdout
    assert "poor" in short and "good" not in short


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        (
            None,
            [],
            "error: `toy` has no `analysis.json`\nhint: run the stage `calibration`, to its end and "
            "with `analysis_samples` of more than 0 in the spec\n",
        ),
        (
            None,
            ["--run", "7"],
            "error: `toy` has no run `7` of calibration\nhint: there are `0001-calibration`\n",
        ),
        (
            None,
            ["--run", "0001"],
            "error: the run `0001` has no `analysis.json`\nhint: run the stage `calibration`, to its end and "
            "with `analysis_samples` of more than 0 in the spec\n",
        ),
        (
            '{"version": 2}',
            [],
            "{path}: error: `version` is 2, this specgen reads 1\nhint: run the stage `calibration` again\n",
        ),
        (
            "[",
            [],
            "{path}: error: not readable (Expecting value: line 1 column 2 (char 1))\n"
            "hint: run the stage `calibration` again\n",
        ),
    ],
)
def test_nothing_to_show(experiment: Path, text: str | None, arguments: list[str], message: str) -> None:
    path = add_run(experiment, "0001-calibration", text) / "analysis.json"
    result = CliRunner().invoke(app, ["debug", *arguments])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == message.format(path=path) if "{path}" in message else result.stderr == message


def test_no_torch_is_imported(experiment: Path) -> None:
    add_run(experiment, "0001-calibration", json.dumps(analysis()))
    code = (
        "import sys\nfrom specgen.cli import app\n"
        "try:\n    app(['debug'])\nfinally:\n    print('torch' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == "False\n"
    assert done.returncode == 0
