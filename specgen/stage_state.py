"""What `specgen run` knows about stages: their order, and whether a finished run still answers for today's experiment."""

import hashlib
import json
from pathlib import Path
from typing import Any

from specgen.experiment import LOCK_NAME, Experiment

STAGE_ORDER = ("float", "calibration", "qat", "export", "int_infer", "check", "compile", "align_bpu")


def is_current(experiment: Experiment, stage: str) -> bool:
    """Whether the newest finished run of the stage had today's lock and its outputs are unharmed (digests, not times)."""
    for record in sorted(experiment.folder.glob(f"runs/[0-9]*-{stage}/run.json"), reverse=True):
        run = json.loads(record.read_text(encoding="utf-8"))
        if run.get("status") != "finished":
            continue
        return run.get("lock_sha256") == _sha256(experiment.folder / LOCK_NAME) and _outputs_intact(
            record.parent, run
        )
    return False


def _outputs_intact(folder: Path, run: dict[str, Any]) -> bool:
    outputs = run.get("outputs", {})
    return all(
        (folder / name).is_file() and _sha256(folder / name) == digest for name, digest in outputs.items()
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
