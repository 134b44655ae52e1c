"""The scale that follows a distribution as training moves it."""

from __future__ import annotations

import torch
from torch import Tensor

from runtime.quantization.observers.observer import Observer


class MovingAverageObserver(Observer):
    """Threshold: the exponential moving average of the batches' largest magnitudes.

    a_1 = m_1 and a_t = a_{t-1} + weight * (m_t - a_{t-1}), with the largest magnitude m_t of batch t (Jacob
    et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
    2018).

    Args:
        bits: 8 or 16, the width of the codes.
        weight: share of the newest batch, in (0, 1]; 0.1 averages over about the last ten, as BatchNorm does.

    Raises:
        ValueError: if the bits are neither 8 nor 16 or the weight is out of range.
    """

    def __init__(self, *, bits: int, weight: float = 0.1) -> None:
        super().__init__(bits=bits)
        if not 0 < weight <= 1:
            raise ValueError(f"the newest batch's weight must be in (0, 1], not {weight}")
        self.weight = weight
        self._average: Tensor | None = None

    def reset(self) -> None:
        """Forgets everything observed."""
        super().reset()
        self._average = None

    def _update(self, values: Tensor, largest: Tensor) -> None:
        if self._average is None:
            self._average = largest
        else:
            self._average = torch.lerp(self._average.to(largest), largest, self.weight)

    def _threshold(self, largest: float) -> float:
        assert self._average is not None
        return float(self._average)
