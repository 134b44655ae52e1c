"""The classic schedule: warm up, then divide the learning rate at given epochs."""

from collections.abc import Sequence

from runtime.training.callbacks.learning_rate import LearningRateUpdater
from runtime.training.schedules import warmup_step
from runtime.training.training_module import TrainingPlan


class WarmupStepLrUpdater(LearningRateUpdater):
    """Linear warm-up, then the rate times `gamma` at each milestone.

    Args:
        milestones: epochs at whose start the rate drops, ascending.
        warmup_steps: optimiser steps of the warm-up.
        warmup_ratio: factor at the first step.
        gamma: factor of each drop.
    """

    def __init__(
        self,
        *,
        milestones: Sequence[int],
        warmup_steps: int = 500,
        warmup_ratio: float = 0.1,
        gamma: float = 0.1,
    ) -> None:
        super().__init__()
        self.warmup_steps = warmup_steps
        self.warmup_ratio = warmup_ratio
        self.milestones = tuple(milestones)
        self.gamma = gamma

    def factor(self, step: int, plan: TrainingPlan, initial_lr: float) -> float:
        return warmup_step(
            step,
            warmup_steps=self.warmup_steps,
            warmup_ratio=self.warmup_ratio,
            milestones=[epoch * plan.steps_per_epoch for epoch in self.milestones],
            gamma=self.gamma,
        )
