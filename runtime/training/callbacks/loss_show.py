"""Prints the named losses, averaged since they were printed last."""

from typing import Any

import lightning.pytorch as pl
import torch

from runtime.training.report import say


class LossShow(pl.Callback):
    """One line every `log_freq` steps: the total and each loss, means over the batches in between.

    Args:
        log_freq: optimiser steps between two lines.
    """

    def __init__(self, *, log_freq: int = 50) -> None:
        self.log_freq = log_freq
        self._sum: torch.Tensor | None = None
        self._batches = 0
        self._shown_step = -1

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        self._sum, self._batches, self._shown_step = None, 0, module.step

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        # Summed on the device: a value is only read, which waits for a GPU, when a line is due.
        values = torch.stack([value.detach().float() for value in outputs["losses"].values()])
        self._sum = values if self._sum is None else self._sum + values
        self._batches += 1
        step = module.step
        if step == self._shown_step or step % self.log_freq:
            return
        means = (self._sum / self._batches).tolist()
        self._sum, self._batches, self._shown_step = None, 0, step
        parts = "  ".join(f"{name} {mean:.4f}" for name, mean in zip(outputs["losses"], means, strict=True))
        say(f"{module.where}  epoch {module.epoch + 1}  loss {sum(means):.4f}  {parts}")
