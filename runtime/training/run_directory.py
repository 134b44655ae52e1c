"""`<experiment>/runs/NNNN-<stage>/`: one folder a run, its record `run.json`, its `log.txt`, its results."""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import subprocess
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Literal

from runtime.atomic_file import write_json
from runtime.errors import RunError
from runtime.training.interruption import is_interruption
from runtime.training.report import note, utc_now
from runtime.training.versions import installed_versions

Status = Literal["running", "finished", "failed", "interrupted"]
_OUTPUTS = (".safetensors", ".json", ".png", ".onnx", ".hbm")
_NAME = re.compile(r"(\d{4,})-(.+)")


class RunDirectory:
    """One run of a stage.

    Args:
        path: the run's folder, which exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number, self.stage = _split_name(path.name)
        self.checkpoints = path / "checkpoints"
        self.log_file = path / "log.txt"
        self._lock: IO[bytes] | None = None

    @property
    def experiment(self) -> Path:
        """The experiment directory that the run belongs to."""
        return self.path.parent.parent

    @property
    def record(self) -> dict[str, Any]:
        """What `run.json` says.

        Raises:
            RunError: the file is damaged.
        """
        file = self.path / "run.json"
        if not file.is_file():
            return {}
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
            if not isinstance(record, dict):
                raise ValueError("not a record")
        except (OSError, ValueError) as error:
            raise RunError(
                f"not readable ({error})", place=str(file), hint="remove this run's folder"
            ) from error
        return record

    def update(self, **entries: Any) -> None:
        """Add to `run.json`; the file is replaced as a whole."""
        write_json(self.path / "run.json", {**self.record, **entries})

    def claim(self) -> None:
        """Hold the run for this process until it ends, however it ends.

        Raises:
            RunError: another process is at work on it.
        """
        self._lock = (self.path / ".claimed").open("wb")
        try:
            # A record lock: the system drops it with the process, and data workers do not inherit it.
            fcntl.lockf(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            self._lock = None
            raise RunError(
                "this run is still going on", place=str(self.path), hint="wait for it, or stop it"
            ) from error

    def start(self, **entries: Any) -> None:
        """Write the first `run.json`, or the next start of a resumed run.

        Raises:
            RunError: the file cannot be written; a run that has nothing yet is gone then.
        """
        try:
            self._start(**entries)
        except RunError:
            self._release()
            with contextlib.suppress(OSError):
                self.path.rmdir()
            raise

    def _start(self, **entries: Any) -> None:
        starts = [*self.record.get("starts", []), utc_now()]
        self.update(
            run=self.path.name,
            stage=self.stage,
            experiment=self.experiment.name,
            status="running",
            starts=starts,
            lock=file_digest(self.experiment / "experiment.lock"),
            git_commit=git_commit(self.experiment),
            versions=installed_versions(),
            **told_of_lock(),
            **entries,
        )
        self._started = time.monotonic()

    def finish(self, status: Status, **entries: Any) -> None:
        """Write how the run ended, and for how long it has worked over all its starts."""
        seconds = self.record.get("seconds", 0.0) + time.monotonic() - self._started
        outputs = {
            str(file.relative_to(self.path)): file_digest(file)
            for file in sorted(self.path.rglob("*"))
            if file.suffix in _OUTPUTS and file.name != "run.json"
        }
        self.update(status=status, ended=utc_now(), seconds=round(seconds, 1), outputs=outputs, **entries)
        self._release()

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Writes into record and log how work that does not come to its end was stopped."""
        try:
            yield
        except BaseException as error:
            # A disk that is full may be so for this too; the first error is the one to show.
            with contextlib.suppress(RunError, OSError):
                self.finish("interrupted" if is_interruption(error) else "failed", error=str(error))
            if isinstance(error, Exception) and not isinstance(error, RunError):
                note("".join(traceback.format_exception(error)).rstrip())
            raise

    def _release(self) -> None:
        if self._lock is not None:
            (self.path / ".claimed").unlink(missing_ok=True)
            self._lock.close()
            self._lock = None


def create_run(experiment: Path, stage: str) -> RunDirectory:
    """Make the next free `runs/NNNN-<stage>`; two processes at once get two numbers."""
    runs = experiment / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    # `mkdir` alone is no guard: `0007-float` and `0007-predict-float` do not collide.
    folder = os.open(runs, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        number = 1 + max((run.number for run in find_runs(experiment)), default=0)
        path = runs / f"{number:04d}-{stage}"
        path.mkdir()
    finally:
        os.close(folder)
    return RunDirectory(path)


def find_runs(experiment: Path, stage: str | None = None) -> list[RunDirectory]:
    """The runs of an experiment, of one stage or of all, oldest first."""
    return sorted(_runs(experiment, stage), key=lambda run: run.number)


def _runs(experiment: Path, stage: str | None) -> Iterator[RunDirectory]:
    folder = experiment / "runs"
    for path in folder.iterdir() if folder.is_dir() else ():
        match = _NAME.fullmatch(path.name)
        if match and path.is_dir() and stage in (None, match[2]):
            yield RunDirectory(path)


def _split_name(name: str) -> tuple[int, str]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise RunError(f"`{name}` is not the name of a run", hint="a run is called like `0007-float`")
    return int(match[1]), match[2]


def told_of_lock() -> dict[str, Any]:
    """What differs from the experiment's lock or could not be checked, as who started this process told."""
    told = {key: os.environ.get(f"RUNTIME_{key.upper()}") for key in ("unlocked", "unchecked")}
    return {key: json.loads(text) for key, text in told.items() if text}


def file_inputs(experiment: Path, sources: Mapping[str, Path]) -> dict[str, dict[str, str | None]]:
    """What `run.json` says of the files of earlier stages that a run works on, by stage."""
    return {
        stage: {"checkpoint": str(path.relative_to(experiment)), "digest": file_digest(path)}
        for stage, path in sources.items()
    }


def file_digest(path: Path) -> str | None:
    """sha256 of a file; None when there is none."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_commit(folder: Path) -> str | None:
    """The commit that `folder` is at, with `+changes` when files differ from it; None outside a
    repository."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return (
            f"{commit}+changes" if _git(folder, "status", "--porcelain", "--untracked-files=no") else commit
        )
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    result = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return result.stdout.strip()
