"""Saves the last state to resume from and the best weights to go on with."""

from typing import Any, Literal

import lightning.pytorch as pl

from runtime.training.metric_values import find_value
from runtime.training.report import say
from runtime.training.run_checkpoints import RunCheckpoints


class Checkpoint(pl.Callback):
    """Keeps `last` (weights and trainer state) and `best` (weights) in the run's `checkpoints/`.

    Args:
        best: metric that decides, such as `NDS`, `mIoU` or `bev_det/NDS`; without validation the last
            weights count as the best.
        mode: whether more of it is better.
        save_every_epochs: epochs between two saves of `last`; the end of training is always saved.
    """

    def __init__(
        self, *, best: str = "NDS", mode: Literal["max", "min"] = "max", save_every_epochs: int = 1
    ) -> None:
        self.best = best
        self.mode = mode
        self.save_every_epochs = save_every_epochs
        self.store: RunCheckpoints | None = None
        self._best_value: float | None = None
        self._best_step = -1

    def on_validation_end(self, trainer: pl.Trainer, module: Any) -> None:
        if trainer.state.fn != "fit" or not module.results:
            return
        value = find_value(module.results, self.best)
        if not self._is_better(value):
            return
        self._best_value, self._best_step = value, module.step
        if self.store is not None and trainer.is_global_zero:
            # The epoch that this validation closes is counted as done, as it is for `last`.
            self.store.save_best(module, epoch=module.epoch + 1)
            say(f"{module.where}  best {self.best} so far: {value:.4f}, saved")

    def on_train_epoch_end(self, trainer: pl.Trainer, module: Any) -> None:
        # Callbacks run before the module's own hook, and weights after a NaN must not replace good ones.
        module.guard.check()
        epoch = module.epoch + 1
        is_end = module.step >= module.plan.total_steps
        if self.store is None or not (is_end or epoch % self.save_every_epochs == 0):
            return
        if trainer.is_global_zero:
            if is_end and self._best_step < 0:
                self.store.save_best(module, epoch=epoch)
            self.store.save_last(module, trainer, epoch=epoch)
        trainer.strategy.barrier("checkpoint")

    def _is_better(self, value: float) -> bool:
        if self._best_value is None or self._best_value != self._best_value:
            return True
        return value > self._best_value if self.mode == "max" else value < self._best_value

    def state_dict(self) -> dict[str, Any]:
        return {"best_value": self._best_value, "best_step": self._best_step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._best_value, self._best_step = state_dict["best_value"], state_dict["best_step"]
