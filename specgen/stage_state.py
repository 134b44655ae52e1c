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
        inputs: digest of the pack behind each loader (`train`, `val`), and of the weights of each stage that
            it starts from, as they are now.

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


def best_weights_digest(experiment: Experiment, stage: str) -> str:
    """Digest of the weights that later stages would start from now; `missing` when there are none."""
    for folder, _ in _finished_runs(experiment, stage):
        weights = folder / "checkpoints" / "best.safetensors"
        if weights.is_file():
            return _sha256(weights)
    return "missing"


def _outputs_intact(folder: Path, run: dict[str, Any]) -> bool:
    outputs = run.get("outputs", {})
    return all(
        (folder / name).is_file() and _sha256(folder / name) == digest for name, digest in outputs.items()
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
