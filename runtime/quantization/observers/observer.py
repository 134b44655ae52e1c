"""What every observer does: remembers the range of a tensor's values and makes a scale of it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor

from runtime.errors import RunError
from runtime.quantization.observers.memory_order import in_memory_order

# No scale is smaller: a tensor or channel that is all zero gets this one, so that what divides by a scale
# stays finite and an int32 bias at scale s_x * s_w still has room.
SMALLEST_SCALE = 2.0**-24


class Observer(ABC):
    """Sees a tensor batch by batch and chooses its scale for symmetric codes with zero point 0.

    Convention: scale = threshold / high_code with high_code = 2^(bits - 1) - 1, at least `SMALLEST_SCALE`.
    Codes reach from -high_code - 1 to high_code; a threshold is a magnitude, the same for both signs.

    Args:
        bits: 8 or 16, the width of the codes.

    Raises:
        ValueError: if the bits are neither 8 nor 16.
    """

    def __init__(self, *, bits: int) -> None:
        if bits not in (8, 16):
            raise ValueError(f"codes have 8 or 16 bits, not {bits}")
        self.bits = bits
        self.high_code = 2 ** (bits - 1) - 1
        self._count = 0
        self._range: tuple[Tensor, Tensor] | None = None

    def observe(self, x: Tensor) -> None:
        """Takes in one batch: a floating-point tensor of any shape and memory layout, on any device.

        Raises:
            RunError: if a value is not finite. On an accelerator the refusal waits until the range or the
                scale is read, since asking after every tensor would stall the device.
        """
        if x.numel() == 0:
            return
        # What is kept may outlive the caller's inference mode, so it must not be made of inference tensors.
        with torch.inference_mode(False), torch.no_grad():
            self._observe(in_memory_order(x.detach()))

    def scale(self) -> float:
        """The scale for all that was observed since the last reset.

        Raises:
            RunError: if nothing was observed, or something that is not finite.
        """
        low, high = self._bounds()
        largest = max(-low, high)
        if largest <= SMALLEST_SCALE * self.high_code:
            return SMALLEST_SCALE
        return max(min(self._threshold(largest), largest) / self.high_code, SMALLEST_SCALE)

    def better_scale(self, low: float, high: float) -> float:
        """Of two scales around that of `scale` the better one: the higher, which clips no more than it."""
        return high

    def reset(self) -> None:
        """Forgets everything observed."""
        self._count = 0
        self._range = None

    @property
    def low(self) -> float:
        """Smallest value seen. Raises RunError as `scale` does."""
        return self._bounds()[0]

    @property
    def high(self) -> float:
        """Largest value seen. Raises RunError as `scale` does."""
        return self._bounds()[1]

    @property
    def count(self) -> int:
        """Number of values seen."""
        return self._count

    @property
    def counts(self) -> Tensor | None:
        """Values in each bin of the histogram of magnitudes, int64 (bins,); None without a histogram."""
        return None

    @property
    def edges(self) -> Tensor | None:
        """Borders of the histogram's bins, float64 (bins + 1,); None without a histogram."""
        return None

    @abstractmethod
    def _update(self, values: Tensor, largest: Tensor) -> None:
        """Takes in one batch's values (N,); their largest magnitude is a float64 scalar on their device."""

    @abstractmethod
    def _threshold(self, largest: float) -> float:
        """The magnitude that the highest code shall stand for, `largest` being the largest one seen."""

    def _observe(self, values: Tensor) -> None:
        low, high = (bound.double() for bound in torch.aminmax(values))
        if values.device.type == "cpu":
            _refuse_non_finite(low.item(), high.item())
        self._update(values, torch.maximum(high, -low))
        if self._range is not None:
            # Both keep a NaN, so that a late look at the range finds it.
            old_low, old_high = self._range
            low, high = torch.minimum(old_low.to(low), low), torch.maximum(old_high.to(high), high)
        self._range = low, high
        self._count += len(values)

    def _bounds(self) -> tuple[float, float]:
        if self._range is None:
            hint = "run calibration batches through the model first"
            raise RunError("no values were observed, so there is no range to make a scale of", hint=hint)
        low, high = torch.stack(self._range).tolist()
        _refuse_non_finite(low, high)
        return low, high


def _refuse_non_finite(low: float, high: float) -> None:
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RunError(f"the tensor has values that are not finite (smallest {low}, largest {high})")
