"""Sum of maps: `y = clamp((q1 * m1 + q2 * m2 + ... + 2^(k-1)) >> k, lo, hi)`, rounded once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from runtime.quantization.arithmetic.rescale import round_shift
from runtime.quantization.arithmetic.weighted_sum import fits_float32, weighted_sum


def reference(
    inputs: Sequence[NDArray[np.int64]], ms: Sequence[int], k: int, *, lo: int, hi: int
) -> NDArray[np.int64]:
    """Codes of the sum of codes of one shape; `ms` and `k` as from `common_multipliers`."""
    total = np.zeros_like(inputs[0], dtype=np.int64)
    for codes, m in zip(inputs, ms, strict=True):
        total = total + codes * np.int64(m)
    return round_shift(total, k, lo, hi)


def kernel(
    inputs: Sequence[Tensor], ms: Sequence[float], k: int, *, bits: int = 16, lo: int, hi: int
) -> Tensor:
    """The codes of `reference`; `bits` of the widest input, fewer of which are faster."""
    factors = [float(m) * 2.0**-k for m in ms]
    single = fits_float32(2 ** (bits - 1) * int(sum(ms)), k)
    return weighted_sum(list(zip(inputs, factors, strict=True)), 0.5, lo=lo, hi=hi, single=single)
