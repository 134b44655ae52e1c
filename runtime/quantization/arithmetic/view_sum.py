"""Sum over the V views of a sample: `y = clamp((sum_v q_v * m + 2^(k-1)) >> k, lo, hi)`, rounded once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from runtime.quantization.arithmetic import rescale
from runtime.quantization.arithmetic.weighted_sum import weighted_sum


def reference(x: NDArray[np.int64], m: int, k: int, *, num_views: int, lo: int, hi: int) -> NDArray[np.int64]:
    """Codes (B, C, H, W) of codes (B * V, C, H, W), the views of a sample behind each other."""
    views = x.reshape(-1, num_views, *x.shape[1:])
    return rescale.reference(views.sum(axis=1, dtype=np.int64), m, k, lo, hi)


def kernel(x: Tensor, m: int, k: int, *, num_views: int, lo: int, hi: int) -> Tensor:
    """The codes of `reference`; up to 512 views, whose int16 codes float32 adds exactly."""
    # One view after the other: `sum` over an axis of a channels-last tensor is thirty times slower.
    total = x[0::num_views]
    for view in range(1, num_views):
        total = total + x[view::num_views]
    return weighted_sum([(total, m * 2.0**-k)], 0.5, lo=lo, hi=hi)
