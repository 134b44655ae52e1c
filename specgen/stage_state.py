"""What the runs of stages have left: whether a finished one still answers for today's experiment, and the
files that later stages work on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from specgen.emit.lock import LOCK
from specgen.experiment import Experiment
from specgen.stage_table import STAGES


def is_current(
    experiment: Experiment, stage: str, options: Mapping[str, Any], inputs: Mapping[str, str]
) -> bool:
    """Whether the newest finished run of a stage need not be repeated, by digests, not by times.

    Args:
        options: what the command line overrides, as `run.json` records it.
        inputs: digest of the pack behind each loader (`train`, `val`), and of the file of each stage that it
            works on, as they are now.

    Returns:
        True when that run kept to today's lock, had these options and inputs, and its files are unharmed.
    """
    for folder, run in _finished_runs(experiment, stage):
        return (
            run.get("lock") == _sha256(experiment.folder / LOCK)
            and not run.get("unlocked")
            and run.get("options") == options
            and all(run.get("inputs", {}).get(name, {}).get("digest") == inputs[name] for name in inputs)
            and _outputs_intact(folder, run)
        )
    return False


def _finished_runs(experiment: Experiment, stage: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Newest first."""
    records = experiment.folder.glob(f"runs/[0-9]*-{stage}/run.json")
    for record in sorted(records, key=lambda path: int(path.parent.name.partition("-")[0]), reverse=True):
        try:
            run = json.loads(record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # a run whose record is damaged proves nothing
        if not isinstance(run, dict):
            continue
        if run.get("stage") == stage and run.get("status") == "finished":
            yield record.parent, run


def newest_finished(experiment: Experiment, stage: str) -> tuple[Path, dict[str, Any]] | None:
    """Folder and record of the newest finished run of a stage, None when there is none."""
    return next(_finished_runs(experiment, stage), None)


def made_digest(experiment: Experiment, stage: str) -> str:
    """Digest of the file that later stages would work on now; `missing` when there is none."""
    name = STAGES[stage].makes
    for folder, _ in _finished_runs(experiment, stage) if name is not None else ():
        if (folder / str(name)).is_file():
            return _sha256(folder / str(name))
    return "missing"


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
    runs = (run for _, run in _finished_runs(experiment, stage))
    return next((run for run in runs if run.get("outputs", {}).get(made) == digest), None)


def _outputs_intact(folder: Path, run: dict[str, Any]) -> bool:
    outputs = run.get("outputs", {})
    return all(
        (folder / name).is_file() and _sha256(folder / name) == digest for name, digest in outputs.items()
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
