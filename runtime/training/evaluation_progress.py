"""Says how far a long evaluation is."""

import time
from typing import Any

import lightning.pytorch as pl

from runtime.training.report import say

_SECONDS = 10.0


class EvaluationProgress(pl.Callback):
    """A line every ten seconds."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        module: Any,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if time.monotonic() - self._last > _SECONDS:
            self._last = time.monotonic()
            say(f"evaluated {module.evaluated_samples} of {len(module.val_loader.dataset)} samples")
