"""`run` and `predict` refuse what differs from the lock, or record it; the stages here are small scripts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from specgen import __version__
from specgen.emit.lock import LOCK, digest, lock_text
from specgen.lock_check import UNLOCKED, data_differences, differences, locked_data

ROOT = Path(__file__).resolve().parents[3]
STAGE = "import os, sys\nprint(os.environ.get('RUNTIME_UNLOCKED', 'locked'), sys.argv[1:])\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a spec and an experiment whose lock is true."""
    folder = tmp_path / "experiments" / "toy"
    (folder / "stages").mkdir(parents=True)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "toy.yaml").write_text("name: toy\n")
    texts = {
        "spec.yaml": "model: {}\ndata: {}\nstages: {}\n",
        "model.py": "SIZE = 1\n",
        "stages/float.py": STAGE,
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    tables = {
        "specs": {"specs/toy.yaml": digest("name: toy\n")},
        "files": {name: digest(text) for name, text in texts.items()},
    }
    (folder / LOCK).write_text(lock_text(version=__version__, spec="specs/toy.yaml", sets=(), tables=tables))
    return tmp_path


def command(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "specgen", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(line, cwd=project, env=environment, capture_output=True, text=True, timeout=60)


def edit_file(project: Path) -> None:
    (project / "experiments/toy/model.py").write_text("SIZE = 2\n")


def remove_file(project: Path) -> None:
    (project / "experiments/toy/model.py").unlink()


def edit_spec(project: Path) -> None:
    (project / "specs/toy.yaml").write_text("name: toy\nmarch: bayes\n")


def add_module(project: Path) -> None:
    (project / "experiments/toy/torch.py").write_text("print('not torch')\n")


def other_version(project: Path) -> None:
    path = project / "experiments/toy" / LOCK
    path.write_text(path.read_text().replace(f'specgen = "{__version__}"', 'specgen = "0.0.1"'))


def harm_lock(project: Path) -> None:
    (project / "experiments/toy" / LOCK).write_text("<<<<<<< ours\n")


CHANGES = {
    edit_file: "edited by hand: `model.py`",
    remove_file: "missing: `model.py`",
    edit_spec: "changed since it was built: `specs/toy.yaml`",
    add_module: "Python that the lock does not know: `torch.py`",
    other_version: f"built by specgen 0.0.1, and this is {__version__}",
    harm_lock: f"`{LOCK}` cannot be read",
}


def test_a_true_lock_lets_run_and_predict_pass(project: Path) -> None:
    assert differences(project / "experiments/toy", project) == []
    for arguments in (["run", "--stage", "float"], ["predict", "--pictures", "0"]):
        done = command(project, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("locked ")
    (project / "experiments/toy/runs/0001-float").mkdir(parents=True)
    (project / "experiments/toy/runs/0001-float/own.py").write_text("")
    (project / "experiments/toy/notes.md").write_text("mine")
    assert differences(project / "experiments/toy", project) == []


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_differs_is_refused_and_named(project: Path, change: object) -> None:
    assert callable(change)
    change(project)
    done = command(project, "predict" if change is edit_file else "run")
    assert (done.returncode, done.stdout) == (1, "")
    head, *found, hint = done.stderr.splitlines()
    assert head == "error: `experiments/toy` is not what its lock says:"
    assert any(line.startswith(f"  {CHANGES[change]}") for line in found)  # type: ignore[index]
    assert hint.startswith("hint: build it again with `specgen build`") and "`--unlocked`" in hint


def test_unlocked_goes_on_and_tells_the_stage(project: Path) -> None:
    edit_file(project)
    for arguments in (["run"], ["predict"]):
        done = command(project, *arguments, "--unlocked")
        assert done.returncode == 0
        assert done.stdout.startswith('["edited by hand: `model.py`"] ')
        assert "runs unlocked, `run.json` says so:\n  edited by hand: `model.py`" in done.stderr


def test_unlocked_of_a_true_lock_says_nothing(project: Path) -> None:
    done = command(project, "run", "--stage", "float", "--unlocked")
    assert done.stdout.startswith("locked ") and done.stderr == ""


def test_the_record_of_a_run_says_what_differed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from runtime.training.run_directory import create_run

    experiment = project / "experiments/toy"
    run = create_run(experiment, "float")
    monkeypatch.setenv(UNLOCKED, json.dumps(["edited by hand: `model.py`"]))
    run.start()
    assert run.record["unlocked"] == ["edited by hand: `model.py`"]
    monkeypatch.delenv(UNLOCKED)
    other = create_run(experiment, "float")
    other.start()
    assert "unlocked" not in other.record


def test_pinned_data(tmp_path: Path) -> None:
    pins = {"train": "a" * 64, "val": "sha256:" + "b" * 64}
    text = lock_text(version="1", spec="s", sets=(), tables={"data": {**pins, "bad": "../../x"}})
    (tmp_path / LOCK).write_text(text)
    assert locked_data(tmp_path) == pins
    assert data_differences(pins, dict(pins)) == []
    assert data_differences(pins, {"train": "c" * 64}) == [
        "the data of `train` are cccccccccccc, and the lock has aaaaaaaaaaaa"
    ]
    assert locked_data(tmp_path / "nowhere") == {}
