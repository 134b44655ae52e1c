"""What the learning-rate callbacks share: setting each group's rate from a pure function of the step."""

from abc import abstractmethod
from typing import Any

import lightning.pytorch as pl

from runtime.training.report import say
from runtime.training.training_module import TrainingPlan


class LearningRateUpdater(pl.Callback):
    """Sets `lr = factor(step) * starting lr` in every group before each batch.

    Args:
        step_log_interval: optimiser steps between two lines that tell the rate; 0 for none.
    """

    def __init__(self, *, step_log_interval: int = 0) -> None:
        self.step_log_interval = step_log_interval

    @abstractmethod
    def factor(self, step: int, plan: TrainingPlan, initial_lr: float) -> float:
        """The factor on `initial_lr` at optimiser step `step` of `plan`."""

    def on_train_batch_start(self, trainer: pl.Trainer, module: Any, batch: Any, batch_idx: int) -> None:
        step = module.step
        for group in trainer.optimizers[0].param_groups:
            group["lr"] = group["initial_lr"] * self.factor(step, module.plan, group["initial_lr"])
        first_batch_of_step = batch_idx % trainer.accumulate_grad_batches == 0
        if self.step_log_interval and step % self.step_log_interval == 0 and first_batch_of_step:
            rate = trainer.optimizers[0].param_groups[0]["lr"]
            say(f"{module.where}  learning rate {rate:.3e}")
