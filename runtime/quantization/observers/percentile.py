"""The scale that clips a fixed share of the values."""

from __future__ import annotations

import numpy as np

from runtime.quantization.observers.histogram_observer import HistogramObserver


class PercentileObserver(HistogramObserver):
    """Threshold: the magnitude that a given share of the values does not exceed.

    100 % is the largest magnitude. Any other is read from the histogram, values within a bin taken as spread
    evenly: exact to a bin's width.

    Args:
        bits: 8 or 16, the width of the codes.
        percentile: the share in percent, in (0, 100].

    Raises:
        ValueError: if the bits are neither 8 nor 16 or the percentile is out of range.
    """

    def __init__(self, *, bits: int, percentile: float = 99.99) -> None:
        super().__init__(bits=bits)
        if not 0 < percentile <= 100:
            raise ValueError(f"the percentile must be in (0, 100], not {percentile}")
        self.percentile = percentile

    def _threshold(self, largest: float) -> float:
        if self.percentile == 100:
            return largest
        counts, edges = self.counts.numpy(), self.edges.numpy()
        wanted = counts.sum() * self.percentile / 100
        below = np.cumsum(counts)
        # The bin where the wanted count is reached is never an empty one.
        index = int(np.searchsorted(below, wanted))
        rest = wanted - (below[index] - counts[index])
        return float(edges[index] + (edges[index + 1] - edges[index]) * rest / counts[index])
