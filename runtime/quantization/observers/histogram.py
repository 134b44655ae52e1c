"""A histogram of magnitudes whose range grows without a counting error."""

from __future__ import annotations

import torch
from torch import Tensor

BINS = 2048
_LEAST_LIMIT = 2.0**-100


class MagnitudeHistogram:
    """Counts of |x| in 2048 bins of equal width from zero to `limit`.

    The limit is the least power of two above the largest magnitude announced so far (2^-100 if that is tiny).
    It grows by doubling, which merges neighbour bins exactly: the counts depend on the values alone, not on
    their order or batches. At least half of the bins lie below the largest magnitude. Zeros are in the first
    bin and also counted apart. All stays on the device of the values; nothing waits for it until it is read.
    """

    def __init__(self) -> None:
        self._counts: Tensor | None = None  # int64 (BINS,)
        self._limit = torch.tensor(_LEAST_LIMIT, dtype=torch.float64)
        self._zeros = torch.tensor(0)

    def add(self, values: Tensor, largest: Tensor, *, weight: int = 1) -> None:
        """Counts values (N,), each as often as the weight says.

        None may be above `largest` in magnitude, a float64 scalar on their device.
        """
        self._widen(largest.clamp(min=_LEAST_LIMIT / 2))
        assert self._counts is not None
        wide = values if values.dtype == torch.float64 else values.float()
        # Scaling by a power of two is exact, so a bin holds its lower edge and not its upper.
        bins = wide.abs().mul_(BINS / self._limit).int().clamp_(0, BINS - 1)
        self._counts.index_add_(0, bins, torch.full_like(bins, weight, dtype=torch.int64))
        self._zeros = self._zeros + (len(values) - torch.count_nonzero(values)) * weight

    @property
    def limit(self) -> float:
        """Upper edge of the last bin."""
        return self._limit.item()

    @property
    def counts(self) -> Tensor:
        """Values in each bin, int64 (BINS,), on the CPU."""
        return torch.zeros(BINS, dtype=torch.int64) if self._counts is None else self._counts.cpu()

    @property
    def edges(self) -> Tensor:
        """Borders of the bins, float64 (BINS + 1,), on the CPU."""
        return torch.arange(BINS + 1, dtype=torch.float64) * (self.limit / BINS)

    @property
    def zeros(self) -> int:
        """Values that are exactly zero; the first bin has them too."""
        return int(self._zeros.item())

    def _widen(self, largest: Tensor) -> None:
        """Doubles the limit until it lies above `largest`, without asking an accelerator how often."""
        if self._counts is not None and largest.device.type == "cpu" and largest < self._limit.to(largest):
            return
        # Dividing a float by its mantissa leaves its power of two, exactly.
        above = largest / torch.frexp(largest).mantissa
        old = self._limit.to(above.device)
        self._limit = torch.maximum(old, above)
        self._zeros = self._zeros.to(above.device)
        empty = torch.zeros(BINS, dtype=torch.int64, device=above.device)
        if self._counts is None:
            self._counts = empty
            return
        doublings = (torch.frexp(self._limit / old).exponent - 1).clamp_(0, 62)
        merged = torch.arange(BINS, device=above.device) >> doublings
        self._counts = empty.index_add_(0, merged, self._counts.to(above.device))
