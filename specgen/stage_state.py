"""What `specgen run` knows of stages: their order, and whether a finished run still answers for today's
experiment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from specgen.emit.lock import LOCK
from specgen.experiment import Experiment

STAGE_ORDER = ("float", "calibration", "qat", "export", "int_infer", "check", "compile", "align_bpu")


def is_current(
    experiment: Experiment, stage: str, options: Mapping[str, Any], inputs: Mapping[str, str]
) -> bool:
    """Whether the newest finished run of a stage need not be repeated, by digests, not by times.

    Args:
        options: what the command line overrides, as `run.json` records it.
        inputs: digest of the pack behind each loader (`train`, `val`), as it is now.

    Returns:
        True when that run had today's lock, these options and these inputs, and its files are unharmed.
    """
    for folder, run in _finished_runs(experiment, stage):
        return (
            run.get("lock") == _sha256(experiment.folder / LOCK)
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


def _outputs_intact(folder: Path, run: dict[str, Any]) -> bool:
    outputs = run.get("outputs", {})
    return all(
        (folder / name).is_file() and _sha256(folder / name) == digest for name, digest in outputs.items()
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
