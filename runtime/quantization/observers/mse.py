"""The scale that loses least in the mean square."""

from __future__ import annotations

import numpy as np

from runtime.quantization.observers.histogram_observer import HistogramObserver
from runtime.quantization.observers.rounding_error import Array, density_of, squared_errors

_LOWEST_SHARE = 2.0**-9
_COARSE, _FINE, _REFINEMENTS = 128, 33, 2


class MSEObserver(HistogramObserver):
    """Threshold t of least mean (|x| - s * min(round(|x| / s), high_code))^2, where s = t / high_code.

    The mean is over the histogram: the values of a bin are taken as spread evenly over it, except for zeros,
    which cost nothing, and the largest magnitude, which is known and counts once even where the sample missed
    it; the integral over each bin is exact. Candidates are 128 thresholds in geometric steps from 1/512 of
    the largest magnitude to all of it, then twice 33 between the neighbours of the best.
    """

    def _threshold(self, largest: float) -> float:
        edges, density = density_of(self.counts.numpy(), self.edges.numpy(), self._histogram.zeros, largest)

        def best_of(candidates: Array) -> int:
            errors = squared_errors(edges, density, candidates / self.high_code, self.high_code)
            return int(np.argmin(errors + (largest - candidates) ** 2))

        candidates = largest * np.geomspace(_LOWEST_SHARE, 1.0, _COARSE)
        for _ in range(_REFINEMENTS):
            best = best_of(candidates)
            low, high = candidates[max(best - 1, 0)], candidates[min(best + 1, len(candidates) - 1)]
            candidates = np.linspace(low, high, _FINE)
        return float(candidates[best_of(candidates)])
