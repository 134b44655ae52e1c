"""What the stages ask of their trainers."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import lightning.pytorch as pl
from torch.utils.data import DataLoader

from runtime.training.convert import ModelConvertPipeline
from runtime.training.evaluation import Evaluation
from runtime.training.run_checkpoints import ResumePoint


class StageJudge(Protocol):
    """Judges what a stage works with."""

    device: str | None
    num_devices: int
    seed: int
    val_metrics: list[Any]

    def evaluate(
        self,
        checkpoint: Path | None,
        *,
        num_samples: int | None = None,
        callbacks: Sequence[pl.Callback] = (),
    ) -> Evaluation:
        """Judge a file, or for None the initial weights."""


class StageTrainer(StageJudge, Protocol):
    """Makes the weights of a stage, and judges them."""

    num_steps: Any
    model_convert_pipeline: ModelConvertPipeline | None

    def fit(
        self,
        run_dir: Path,
        resume_from: ResumePoint | None = None,
        *,
        identity: Mapping[str, str] | None = None,
        on_data: Callable[[DataLoader, DataLoader], None] | None = None,
    ) -> dict[str, dict[str, float]]:
        """Make the weights in `run_dir`; results of the last validation by metric."""
