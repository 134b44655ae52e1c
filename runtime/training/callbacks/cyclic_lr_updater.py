"""The reference schedule: a slow rise to ten times the learning rate and a long fall to almost nothing."""

from collections.abc import Sequence

from runtime.training.callbacks.learning_rate import LearningRateUpdater
from runtime.training.schedules import cyclic
from runtime.training.training_module import TrainingPlan


class CyclicLrUpdater(LearningRateUpdater):
    """Cosine up to `target_ratio[0]`, cosine down to `target_ratio[1]` times the starting rate,
    `cyclic_times` times a run.

    Args:
        target_ratio: factors at the top and at the end of a cycle.
        cyclic_times: cycles in the run.
        step_ratio_up: share of a cycle that rises.
        step_log_interval: optimiser steps between two lines that tell the rate; 0 for none.
    """

    def __init__(
        self,
        *,
        target_ratio: Sequence[float] = (10, 1e-4),
        cyclic_times: int = 1,
        step_ratio_up: float = 0.4,
        step_log_interval: int = 500,
    ) -> None:
        super().__init__(step_log_interval=step_log_interval)
        self.target_ratio = tuple(target_ratio)
        self.cyclic_times = cyclic_times
        self.step_ratio_up = step_ratio_up

    def factor(self, step: int, plan: TrainingPlan, initial_lr: float) -> float:
        return cyclic(
            step,
            total_steps=plan.total_steps,
            target_ratio=self.target_ratio,
            cyclic_times=self.cyclic_times,
            step_ratio_up=self.step_ratio_up,
        )
