"""What the observers that need the distribution share: a histogram of magnitudes."""

from __future__ import annotations

from torch import Tensor

from runtime.quantization.observers.histogram import MagnitudeHistogram
from runtime.quantization.observers.memory_order import even_sample
from runtime.quantization.observers.observer import Observer


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

    def _update(self, values: Tensor, largest: Tensor) -> None:
        sample, weight = even_sample(values)
        self._histogram.add(sample, largest, weight=weight)
