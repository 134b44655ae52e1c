"""The scale that a spec gives."""

from __future__ import annotations

import math

from torch import Tensor

from runtime.quantization.observers.observer import Observer


class FixedObserver(Observer):
    """A scale that no value changes; the range is still kept, for reports.

    Raises:
        ValueError: if the scale is not a finite number above zero.
    """

    def __init__(self, scale: float, *, bits: int = 8) -> None:
        super().__init__(bits=bits)
        if not (math.isfinite(scale) and scale > 0):
            raise ValueError(f"a fixed scale must be finite and above zero, not {scale}")
        self._scale = scale

    def scale(self) -> float:
        """The given scale, whether or not anything was observed."""
        return self._scale

    def _update(self, values: Tensor, largest: Tensor) -> None:
        """The range that every observer keeps is all there is to keep."""

    def _threshold(self, largest: float) -> float:
        return self._scale * self.high_code
