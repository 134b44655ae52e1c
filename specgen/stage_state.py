"""What the runs of stages have left: whether a finished one still answers for today's experiment, and the
files that later stages work on."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from specgen.emit.lock import LOCK
from specgen.experiment import Experiment
from specgen.stage_table import STAGES


class DamagedRecord(Exception):
    """The record of a run cannot be read; the text says which, and what to do.

    Args:
        file: the `run.json`.
        why: what reading it said.
    """

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"{file}: error: not readable ({why})\nhint: remove this run's folder")
        self.file = file


def is_current(
    experiment: Experiment, stage: str, options: Mapping[str, Any], inputs: Mapping[str, str]
) -> bool:
    """Whether the newest finished run of a stage need not be repeated, by digests, not by times.

    Args:
        options: what the command line overrides, as `run.json` records it.
        inputs: digest of the pack behind each loader (`train`, `val`), of the chip's `march`, and of the file
            of each stage that it works on, as they are now.

    Returns:
        True when that run kept to today's lock, had these options and inputs, and its files are unharmed.

    Raises:
        DamagedRecord: see `newest_finished`.
    """
    found = newest_finished(experiment, stage)
    if found is None:
        return False
    folder, run = found
    return (
        run.get("lock") == _sha256(experiment.folder / LOCK)
        and not run.get("unlocked")
        and run.get("options") == options
        and all(run.get("inputs", {}).get(name, {}).get("digest") == inputs[name] for name in inputs)
        and _outputs_intact(folder, run)
    )


def newest_finished(experiment: Experiment, stage: str) -> tuple[Path, dict[str, Any]] | None:
    """Folder and record of the newest finished run of a stage, None when there is none.

    Raises:
        DamagedRecord: of a newer run nobody can tell whether it has finished.
    """
    return next(_finished_runs(experiment, stage), None)


def newest_made(experiment: Experiment, stage: str) -> Path | None:
    """The file that later stages would work on now, None when there is none.

    Raises:
        DamagedRecord: see `newest_finished`.
    """
    name = STAGES[stage].makes
    runs = _finished_runs(experiment, stage) if name is not None else ()
    return next((folder / str(name) for folder, _ in runs if (folder / str(name)).is_file()), None)


def made_digest(experiment: Experiment, stage: str) -> str:
    """Digest of the file that later stages would work on now; `missing` when there is none.

    Raises:
        DamagedRecord: see `newest_finished`.
    """
    path = newest_made(experiment, stage)
    return "missing" if path is None else _sha256(path)


def works_on(experiment: Experiment, stage: str, run: Mapping[str, Any]) -> dict[str, str]:
    """Digests of the files that a run was made of, by stage, as they were.

    Those that it worked on itself, and behind a file that it takes as it is, as from `export`, what that was
    made of.

    Args:
        stage: of the run.
        run: its record.
    """
    found: dict[str, str] = {}
    for name, source in run.get("inputs", {}).items():
        if name not in STAGES:
            continue
        found[name] = str(source.get("digest"))
        if name == STAGES[stage].takes:
            made = _run_that_made(experiment, name, found[name])
            found.update({} if made is None else works_on(experiment, name, made))
    return found


def outdated(experiment: Experiment, stage: str, run: Mapping[str, Any]) -> tuple[str, ...]:
    """The stages whose files have changed since a run was made of them; arguments as in `works_on`."""
    sources = works_on(experiment, stage, run)
    return tuple(name for name, digest in sources.items() if digest != made_digest(experiment, name))


def remarks(run: Mapping[str, Any]) -> Iterator[str]:
    """What a person should know who reads the figures of a run."""
    steps = run.get("options", {}).get("num_steps")
    if steps is not None:
        yield f"was cut short, by `--num-steps {steps}`"
    if run.get("unlocked"):
        yield "ran unlocked: something differed from the experiment's lock"


def _run_that_made(experiment: Experiment, stage: str, digest: str) -> dict[str, Any] | None:
    made = STAGES[stage].makes
    for folder in _folders(experiment, stage):
        try:
            run = _record(folder)
        except DamagedRecord:
            continue  # proves nothing: another run may have made the same file
        if _has_finished(run) and run.get("outputs", {}).get(made) == digest:
            return run
    return None


def _finished_runs(experiment: Experiment, stage: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Newest first."""
    for folder in _folders(experiment, stage):
        run = _record(folder)
        if _has_finished(run):
            yield folder, run


def _folders(experiment: Experiment, stage: str) -> list[Path]:
    """Of the runs of a stage, newest first."""
    name = re.compile(rf"\d{{4,}}-{re.escape(stage)}")
    found = [path for path in experiment.folder.glob(f"runs/*-{stage}") if name.fullmatch(path.name)]
    return sorted(found, key=lambda path: int(path.name.partition("-")[0]), reverse=True)


def _record(folder: Path) -> dict[str, Any]:
    """What `run.json` says; nothing where a run has only begun."""
    file = folder / "run.json"
    if not file.is_file():
        return {}
    try:
        run = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DamagedRecord(file, str(error)) from error
    if not isinstance(run, dict):
        raise DamagedRecord(file, "not a record")
    return run


def _has_finished(run: Mapping[str, Any]) -> bool:
    return run.get("status") == "finished"


def _outputs_intact(folder: Path, run: dict[str, Any]) -> bool:
    outputs = run.get("outputs", {})
    return all(
        (folder / name).is_file() and _sha256(folder / name) == digest for name, digest in outputs.items()
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
