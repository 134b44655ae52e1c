"""Commands on a harmed experiment, and stages that are to stop; the stages here are small scripts."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from specgen import __version__
from specgen.emit.lock import LOCK, digest, lock_text

ROOT = Path(__file__).resolve().parents[3]
STAGE = """
import signal, sys, time
def stop(number, frame):
    sys.exit(130)
if "{ready}" == "ready":
    signal.signal(signal.SIGTERM, stop)
print("begun", flush=True)
time.sleep(60)
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from specgen.cli import main; main()", *arguments]


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    folder = tmp_path / "experiments" / "toy"
    (folder / "stages").mkdir(parents=True)
    (folder / "spec.yaml").write_text("model: {}\ndata: {}\nstages: {}\n")
    (folder / "stages" / "float.py").write_text("print('ran')\n")
    lock(folder)
    return folder


def lock(folder: Path) -> None:
    """Let the experiment's lock be true, or be true again."""
    files = {
        path.relative_to(folder).as_posix(): digest(path.read_text(encoding="utf-8"))
        for path in (folder / "spec.yaml", folder / "stages" / "float.py")
        if path.is_file()
    }
    text = lock_text(version=__version__, spec="toy", sets=(), tables={"files": files})
    (folder / LOCK).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", ["run", "calops"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "spec.yaml:1:1: error[E001]: the file `{path}` does not exist\n"),
        ("a: [", "spec.yaml:1:5: error[E003]: not valid YAML: "),
        ("data: {}\nstages: {}\n", "spec.yaml: error: the section `model` is missing\n"),
        ("model: 1\ndata: {}\nstages: {}\n", "spec.yaml: error: `model` is not a map\n"),
    ],
)
def test_a_harmed_spec_of_an_experiment(experiment: Path, name: str, text: str | None, message: str) -> None:
    path = experiment / "spec.yaml"
    path.unlink()
    if text is not None:
        path.write_text(text)
    lock(experiment)
    (experiment / "runs" / "0001-float").mkdir(parents=True)
    done = subprocess.run(
        command(name, str(experiment)), cwd=experiment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert message.format(path=path) in done.stderr
    assert done.stderr.endswith(
        "hint: this file is generated: build the experiment again with `specgen build`\n"
    )


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (
            "[]",
            "warning: `{path}` is damaged: stage `float` runs again\n"
            "{path}: error: not readable (not a record)\nhint: remove this run's folder\n",
        ),
        ('{"stage": "float", "status": "finished"}', ""),
    ],
)
def test_a_run_with_a_harmed_record_is_not_current(experiment: Path, record: str, said: str) -> None:
    """This stage leaves no newer run behind it: the ladder at the end cannot be shown."""
    path = experiment / "runs" / "0001-float" / "run.json"
    path.parent.mkdir(parents=True)
    path.write_text(record)
    done = subprocess.run(command("run"), cwd=experiment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ran\n", said.format(path=path))


def test_a_harmed_record_ends_a_command_that_reads_it(experiment: Path) -> None:
    path = experiment / "runs" / "0001-float" / "run.json"
    path.parent.mkdir(parents=True)
    path.write_text("[]")
    done = subprocess.run(command("ladder"), cwd=experiment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{path}: error: not readable (not a record)\nhint: remove this run's folder\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("ready", ["ready", "still importing"])
def test_a_stage_that_is_to_stop_is_waited_for(experiment: Path, ready: str, number: int) -> None:
    (experiment / "stages" / "float.py").write_text(STAGE.format(ready=ready))
    lock(experiment)
    process = subprocess.Popen(
        command("run", "--stage", "float"),
        cwd=experiment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "begun\n"
    time.sleep(0.1)
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, "")


def test_a_run_to_resume_is_named(experiment: Path) -> None:
    (experiment / "stages" / "float.py").write_text("import sys; print(sys.argv[1:])\n")
    lock(experiment)
    for arguments, given in (
        (["--resume"], "['--resume']\n"),
        (["--resume", "--run", "0002-float"], "['--resume', '0002-float']\n"),
    ):
        done = subprocess.run(
            command("run", "--stage", "float", *arguments), cwd=experiment, capture_output=True, text=True
        )
        assert (done.returncode, done.stdout) == (0, given)
    alone = command("run", "--stage", "float", "--run", "2")
    assert subprocess.run(alone, cwd=experiment, capture_output=True).returncode == 2
