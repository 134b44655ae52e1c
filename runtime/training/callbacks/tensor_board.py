"""Writes losses, learning rate and metrics for TensorBoard."""

from typing import Any

import lightning.pytorch as pl


class TensorBoard(pl.Callback):
    """Scalars every `log_freq` steps, metrics after every validation, under `<run>/tensorboard`.

    The trainer gives Lightning a TensorBoard logger when this callback is among its callbacks.

    Args:
        log_freq: optimiser steps between two points.
    """

    def __init__(self, *, log_freq: int = 50) -> None:
        self.log_freq = log_freq
        self._logged_step = -1

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = module.step
        if trainer.logger is None or step % self.log_freq or step == self._logged_step:
            return
        self._logged_step = step
        losses = {f"train/{name}": float(value) for name, value in outputs["losses"].items()}
        # Not `outputs["loss"]`, which Lightning has divided by the batches of an optimiser step.
        scalars = {**losses, "train/loss": sum(losses.values())}
        scalars["train/learning_rate"] = float(trainer.optimizers[0].param_groups[0]["lr"])
        trainer.logger.log_metrics(scalars, step=step)

    def on_validation_end(self, trainer: pl.Trainer, module: Any) -> None:
        if trainer.logger is None or trainer.state.fn != "fit":
            return
        for metric, values in module.results.items():
            trainer.logger.log_metrics(
                {f"val/{metric}/{key}": value for key, value in values.items()}, step=module.step
            )
