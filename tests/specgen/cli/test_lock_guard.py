"""`run` and `predict` refuse what differs from the lock, or record it; the stages here are small scripts."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from specgen import __version__
from specgen.emit.lock import LOCK, digest, lock_text
from specgen.lock_check import UNCHECKED, UNLOCKED, data_differences, differences, locked_data

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


AGAIN = "build it again with `specgen build specs/toy.yaml`"
CHANGES = {
    edit_file: (
        "edited by hand: `model.py`",
        "move edits to the spec, then `specgen build specs/toy.yaml --force`",
    ),
    remove_file: ("missing: `model.py`", AGAIN),
    edit_spec: ("changed since it was built: `specs/toy.yaml`", AGAIN),
    add_module: ("Python that the lock does not know: `torch.py`", "move it out of the folder"),
    other_version: (f"built by specgen 0.0.1, and this is {__version__}", AGAIN),
    harm_lock: (
        f"`{LOCK}` cannot be read",
        "build the experiment again with `specgen build`, from the spec that it came from",
    ),
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
    text, step = CHANGES[change]  # type: ignore[index]
    assert found == [f"  {text}"]
    assert hint == f"hint: {step}; `--unlocked` runs it as it is and says so in `run.json`"


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


def test_a_spec_outside_the_project_is_told_and_recorded(project: Path) -> None:
    lock = project / "experiments/toy" / LOCK
    lock.write_text(lock.read_text().replace('"specs/toy.yaml" = ', '"toy.yaml" = '))
    (project / "experiments/toy/stages/float.py").write_text(SHOW := STAGE.replace("UNLOCKED", "UNCHECKED"))
    lock.write_text(lock.read_text().replace(digest(STAGE), digest(SHOW)))
    for arguments in (["run"], ["predict"]):
        done = command(project, *arguments)
        text = "not here, so that nothing can be said of it: `toy.yaml`"
        assert done.returncode == 0
        assert done.stderr == (f"`experiments/toy` is not checked in full, `run.json` says so:\n  {text}\n")
        assert done.stdout.startswith(f'["{text}"] ')


def test_control_characters_of_a_lock_do_not_reach_the_terminal(project: Path) -> None:
    lock = project / "experiments/toy" / LOCK
    lock.write_text(lock.read_text().replace(f'specgen = "{__version__}"', 'specgen = "0.0.\\u001b[31m9"'))
    done = command(project, "run")
    assert done.stderr == (
        "error: `experiments/toy` is not what its lock says:\n"
        f"  built by specgen 0.0.?[31m9, and this is {__version__}\n"
        f"hint: {AGAIN}; `--unlocked` runs it as it is and says so in `run.json`\n"
    )


def test_the_hint_repeats_how_it_was_built(project: Path) -> None:
    folder = project / "experiments/toy"
    texts = {"spec.yaml": "name: other\n", "model.py": "SIZE = 1\n", "stages/float.py": STAGE}
    (folder / "spec.yaml").write_text(texts["spec.yaml"])
    tables = {"specs": {"a b.yaml": ""}, "files": {name: digest(text) for name, text in texts.items()}}
    sets = ("name=other", "vars.x=[1, 2]")
    (folder / LOCK).write_text(lock_text(version=__version__, spec="a b.yaml", sets=sets, tables=tables))
    (project / "a b.yaml").write_text("")
    done = command(project, "run")
    assert done.stderr == (
        "error: `experiments/toy` is not what its lock says:\n"
        "  changed since it was built: `a b.yaml`\n"
        "hint: build it again with `specgen build 'a b.yaml' --set name=other --set 'vars.x=[1, 2]' "
        "--out experiments/toy`; `--unlocked` runs it as it is and says so in `run.json`\n"
    )


def test_files_that_cannot_be_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project / "experiments/toy"
    shut: set[str] = set()
    read_bytes = Path.read_bytes

    def refusing(path: Path) -> bytes:
        if path.name in shut:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refusing)
    shut.add("model.py")
    assert differences(folder, project) == ["cannot be read: `model.py`"]
    shut.add("toy.yaml")
    assert differences(folder, project) == [
        "cannot be read: `model.py`",
        "changed since it was built: `specs/toy.yaml`",
    ]
    (folder / LOCK).unlink()
    (folder / LOCK).mkdir()
    assert differences(folder, project) == [f"`{LOCK}` cannot be read: Is a directory"]


def test_the_record_of_a_run_says_what_differed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from runtime.training.run_directory import create_run

    experiment = project / "experiments/toy"
    run = create_run(experiment, "float")
    monkeypatch.setenv(UNLOCKED, json.dumps(["edited by hand: `model.py`"]))
    run.start()
    assert run.record["unlocked"] == ["edited by hand: `model.py`"]
    monkeypatch.delenv(UNLOCKED)
    monkeypatch.setenv(UNCHECKED, json.dumps(["not here: `toy.yaml`"]))
    other = create_run(experiment, "float")
    other.start()
    assert "unlocked" not in other.record and other.record["unchecked"] == ["not here: `toy.yaml`"]


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
