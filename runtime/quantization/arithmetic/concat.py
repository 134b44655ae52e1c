"""Concatenation of channels: `y_i = clamp((q_i * m_i + 2^(k_i-1)) >> k_i, lo, hi)` behind each other.

An input whose scale is already that of the output moves unchanged (clamped, should the output have fewer
bits).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from runtime.quantization.arithmetic import rescale
from runtime.quantization.arithmetic.weighted_sum import fits_float32, weighted_sum

Multipliers = Sequence[tuple[int, int] | None]


def reference(
    inputs: Sequence[NDArray[np.int64]], multipliers: Multipliers, *, lo: int, hi: int
) -> NDArray[np.int64]:
    """Codes (B, sum of Ci, H, W) of codes (B, Ci, H, W); (m, k) of each, None to move unchanged."""
    parts = [
        np.clip(codes, lo, hi) if pair is None else rescale.reference(codes, *pair, lo, hi)
        for codes, pair in zip(inputs, multipliers, strict=True)
    ]
    return np.concatenate(parts, axis=1)


def kernel(inputs: Sequence[Tensor], multipliers: Multipliers, *, bits: int = 16, lo: int, hi: int) -> Tensor:
    """The codes of `reference`; `bits` of the widest input, fewer of which are faster."""
    parts = [
        codes.clamp(lo, hi) if pair is None else _rescaled(codes, *pair, bits, lo, hi)
        for codes, pair in zip(inputs, multipliers, strict=True)
    ]
    return torch.cat(parts, dim=1)


def _rescaled(codes: Tensor, m: int, k: int, bits: int, lo: int, hi: int) -> Tensor:
    single = fits_float32(2 ** (bits - 1) * m, k)
    return weighted_sum([(codes, m * 2.0**-k)], 0.5, lo=lo, hi=hi, single=single)
