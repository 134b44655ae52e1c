"""The scale that keeps most of the distribution's information."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runtime.quantization.observers.histogram_observer import HistogramObserver


class KLObserver(HistogramObserver):
    """Threshold by entropy calibration (Migacz, "8-bit inference with TensorRT", GTC 2017).

    For every number of bins i from 128 up: P is the first i bins of the histogram with all later counts
    added to its last bin; Q is the first i bins merged to 128 levels, each level's count spread evenly over
    its bins that are not empty. The i with the least KL(P || Q) of the normalised two gives the threshold
    (i + 0.5) * bin width, no more than the largest magnitude. The source leaves two things open. Here level l
    takes bins from floor(l * i / 128) to floor((l + 1) * i / 128) - 1, and where outliers join a last bin
    that Q has empty, the divergence is infinite.

    Codes of 16 bits have more levels than the histogram has bins: their threshold is the largest magnitude.
    """

    def _threshold(self, largest: float) -> float:
        levels = self.high_code + 1
        counts, edges = self.counts.numpy(), self.edges.numpy()
        if levels > len(counts):
            return largest
        used = int(np.searchsorted(edges, largest, side="right"))
        divergence = kl_divergences(counts[:used], levels)
        return float((levels + np.argmin(divergence) + 0.5) * (edges[1] - edges[0]))


def kl_divergences(counts: NDArray[np.int64], levels: int) -> NDArray[np.float64]:
    """KL(P || Q) of `KLObserver` for the first i of bins (B,), i from `levels` to B: (B - levels + 1,)."""
    kept = np.arange(levels, len(counts) + 1)
    borders = np.arange(levels + 1) * kept[:, None] // levels
    count_below = np.concatenate(([0], np.cumsum(counts)))
    filled_below = np.concatenate(([0], np.cumsum(counts > 0)))
    in_level = np.diff(count_below[borders])  # (i, level)
    filled = np.diff(filled_below[borders])
    total, inside = count_below[-1], count_below[kept]
    outliers = total - inside
    last = counts[kept - 1]

    # sum P log P - sum P log Q, over counts: normalising adds the logarithms of both totals.
    entropy_below = np.concatenate(([0.0], np.cumsum(_x_log_x(counts))))
    p_log_p = entropy_below[kept] - _x_log_x(last) + _x_log_x(last + outliers)
    log_q = np.log(np.maximum(in_level, 1) / np.maximum(filled, 1))
    p_log_q = (in_level * log_q).sum(axis=1) + outliers * log_q[:, -1]
    with np.errstate(divide="ignore"):
        divergence = (p_log_p - p_log_q) / total + np.log(inside) - np.log(total)
    return np.where((outliers > 0) & (last == 0), np.inf, divergence)


def _x_log_x(x: NDArray[np.int64]) -> NDArray[np.float64]:
    return x * np.log(np.maximum(x, 1))
