"""Warm-up and one long cosine."""

from runtime.training.callbacks.learning_rate import LearningRateUpdater
from runtime.training.schedules import warmup_cosine
from runtime.training.training_module import TrainingPlan


class CosLrUpdater(LearningRateUpdater):
    """Linear warm-up, then cosine from the starting rate down to `stop_lr` at the last step.

    Args:
        warmup_steps: optimiser steps of the warm-up; wins over `warmup_fraction`.
        warmup_fraction: warm-up as a share of all steps.
        stop_lr: learning rate at the end.
    """

    def __init__(
        self,
        *,
        warmup_steps: int | None = None,
        warmup_fraction: float = 0.0,
        stop_lr: float = 0.0,
    ) -> None:
        super().__init__()
        self.warmup_steps = warmup_steps
        self.warmup_fraction = warmup_fraction
        self.stop_lr = stop_lr

    def factor(self, step: int, plan: TrainingPlan, initial_lr: float) -> float:
        warmup_steps = self.warmup_steps
        if warmup_steps is None:
            warmup_steps = round(self.warmup_fraction * plan.total_steps)
        return warmup_cosine(
            step,
            total_steps=plan.total_steps,
            warmup_steps=warmup_steps,
            stop_ratio=self.stop_lr / initial_lr,
        )
