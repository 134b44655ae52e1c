"""What the observers that need the distribution share: a histogram of magnitudes."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from runtime.quantization.observers.histogram import MagnitudeHistogram
from runtime.quantization.observers.memory_order import even_sample
from runtime.quantization.observers.observer import Observer
from runtime.quantization.observers.rounding_error import density_of, squared_errors


class HistogramObserver(Observer):
    """An observer whose threshold comes from a histogram of magnitudes.

    Of a batch larger than `SAMPLE_SIZE` values an even sample is counted, each value for all those that it
    stands for; the range is that of all values.
    """

    def __init__(self, *, bits: int) -> None:
        super().__init__(bits=bits)
        self._histogram = MagnitudeHistogram()

    def reset(self) -> None:
        """Forgets everything observed."""
        super().reset()
        self._histogram = MagnitudeHistogram()

    @property
    def counts(self) -> Tensor:
        """Values counted in each bin of the histogram of magnitudes, int64 (bins,)."""
        return self._histogram.counts

    @property
    def edges(self) -> Tensor:
        """Borders of the histogram's bins, float64 (bins + 1,)."""
        return self._histogram.edges

    def better_scale(self, low: float, high: float) -> float:
        """Of two scales the one of less squared error, whatever `scale` went by."""
        largest = max(-self.low, self.high)
        edges, density = density_of(self.counts.numpy(), self.edges.numpy(), self._histogram.zeros, largest)
        scales = np.array([low, high])
        errors = squared_errors(edges, density, scales, self.high_code)
        # The largest magnitude, which the density leaves out.
        errors += (largest - np.minimum(np.round(largest / scales), self.high_code) * scales) ** 2
        return low if errors[0] < errors[1] else high

    def _update(self, values: Tensor, largest: Tensor) -> None:
        sample, weight = even_sample(values)
        self._histogram.add(sample, largest, weight=weight)
