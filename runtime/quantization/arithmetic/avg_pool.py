"""Average pooling: `y = clamp((sum q * m + 2^(k-1)) >> k, lo, hi)` over each window.

The multiplier contains the division by the number of pixels. A window as large as the map gives the global
mean.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from runtime.quantization.arithmetic import rescale
from runtime.quantization.arithmetic.weighted_sum import weighted_sum


def reference(
    x: NDArray[np.int64],
    m: int,
    k: int,
    *,
    kernel_size: tuple[int, int],
    stride: tuple[int, int],
    lo: int,
    hi: int,
) -> NDArray[np.int64]:
    """Codes (B, C, H', W') of codes (B, C, H, W) without padding; m * 2^-k contains 1 / (kh * kw)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (1, 1, *kernel_size))
    sums = windows[:, :, :: stride[0], :: stride[1]].sum(axis=(-4, -3, -2, -1), dtype=np.int64)
    return rescale.reference(sums, m, k, lo, hi)


def kernel(
    x: Tensor,
    m: int,
    k: int,
    *,
    kernel_size: tuple[int, int],
    stride: tuple[int, int],
    bits: int,
    lo: int,
    hi: int,
) -> Tensor:
    """The codes of `reference`; `bits` of the input."""
    # float32 adds integers exactly as long as none of the sums reaches 2^24.
    exact = 2 ** (bits - 1) * kernel_size[0] * kernel_size[1] < 2**24
    sums = F.avg_pool2d(x if exact else x.double(), kernel_size, stride=stride, divisor_override=1)
    return weighted_sum([(sums, m * 2.0**-k)], 0.5, lo=lo, hi=hi)
