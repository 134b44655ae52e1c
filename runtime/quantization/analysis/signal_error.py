"""Signal-to-noise ratio and cosine of an approximation."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

# No ratio beyond: without any error it would be infinite, which tables and JSON cannot hold.
LIMIT_DB = 200.0


@dataclass(frozen=True)
class SignalError:
    """How far values are from the exact ones.

    Args:
        sqnr_db: 10 log10(sum x^2 / sum (x - y)^2), within -200 and 200; 200 also where nothing differs.
        cosine: sum x y / sqrt(sum x^2 sum y^2); 1 where both are all zero.
    """

    sqnr_db: float
    cosine: float


class ErrorSums:
    """The sums behind a `SignalError`, over any number of batches."""

    def __init__(self) -> None:
        self.signal = self.noise = self.power = self.product = 0.0

    def add(self, exact: Tensor, approximate: Tensor) -> None:
        """Take in tensors of one shape."""
        x, y = exact.double().flatten(), approximate.double().flatten()
        self.signal += float(x @ x)
        self.power += float(y @ y)
        self.product += float(x @ y)
        difference = x - y
        self.noise += float(difference @ difference)

    def error(self) -> SignalError:
        """Of all that was added."""
        norm = math.sqrt(self.signal * self.power)
        cosine = max(-1.0, min(1.0, self.product / norm)) if norm > 0 else float(self.signal == self.power)
        return SignalError(decibels(self.signal, self.noise), cosine)


def decibels(signal: float, noise: float) -> float:
    """10 log10(signal / noise), within `LIMIT_DB`."""
    if noise <= 0:
        return LIMIT_DB
    if signal <= 0:
        return -LIMIT_DB
    return max(-LIMIT_DB, min(LIMIT_DB, 10.0 * math.log10(signal / noise)))
