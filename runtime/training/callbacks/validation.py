"""Evaluates during training, at regular epochs and always at the end."""

from typing import Any

import lightning.pytorch as pl

from runtime.training.metric_values import headline
from runtime.training.report import duration, say


class Validation(pl.Callback):
    """Runs the trainer's validation loader every `interval_epochs` epochs and after the last step.

    Args:
        interval_epochs: epochs between two validations.
    """

    def __init__(self, *, interval_epochs: int = 1) -> None:
        self.interval_epochs = interval_epochs

    def on_train_epoch_start(self, trainer: pl.Trainer, module: Any) -> None:
        steps_left = module.plan.total_steps - module.step
        is_last = steps_left <= module.plan.steps_per_epoch
        due = is_last or (module.epoch + 1) % self.interval_epochs == 0
        # Lightning asks `(epoch + 1) % check_val_every_n_epoch` of its own epoch count, which starts anew
        # on resume.
        trainer.check_val_every_n_epoch = 1 if due else trainer.current_epoch + 2

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        # A run counted in steps may end inside an epoch, where Lightning validates only when asked to stop.
        if module.step >= module.plan.total_steps:
            trainer.should_stop = True

    def on_validation_end(self, trainer: pl.Trainer, module: Any) -> None:
        if trainer.state.fn == "fit":
            say(
                f"{module.where}  validation of {module.evaluated_samples} samples in "
                f"{duration(module.evaluation_seconds)}: {headline(module.results)}"
            )
