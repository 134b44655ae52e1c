"""The scale that clips nothing."""

from __future__ import annotations

from torch import Tensor

from runtime.quantization.observers.observer import Observer


class MinMaxObserver(Observer):
    """Threshold: the largest magnitude seen."""

    def _update(self, values: Tensor, largest: Tensor) -> None:
        """The range that every observer keeps is all it needs."""

    def _threshold(self, largest: float) -> float:
        return largest
