"""Bilinear sampling at given points: `y = clamp((sum_t q_t * w_t * m + 2^(k-1)) >> k, lo, hi)`.

Convention:
    Points are (column, row) with f fraction bits; integers are pixel centres. The four pixels around a point
    at the fractions fx, fy have the weights (2^f - fx)(2^f - fy), fx (2^f - fy), (2^f - fx) fy and fx fy;
    pixels outside of the map count as 0. m * 2^-k contains 2^-2f.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from runtime.quantization.arithmetic import rescale
from runtime.quantization.arithmetic.four_taps import rounded_taps

MAX_FRACTION_BITS = 8
"""At which sums of int16 codes still fit in int32: 2^15 * 2^(2 * 8) = 2^31."""


def reference(
    features: NDArray[np.int64],
    points: NDArray[np.int64],
    m: int,
    k: int,
    *,
    fraction_bits: int,
    lo: int,
    hi: int,
) -> NDArray[np.int64]:
    """Codes (B, C, H, W) of codes (B, C, h, w) at point codes (B, H, W, 2)."""
    batch, channels, height, width = features.shape
    one = 1 << fraction_bits
    # Both round down, for negative codes too.
    column, row = np.moveaxis(points >> fraction_bits, -1, 0)
    fraction_x, fraction_y = np.moveaxis(points & (one - 1), -1, 0)
    sample = np.arange(batch)[:, None, None]
    acc = np.zeros((batch, *points.shape[1:3], channels), dtype=np.int64)
    for y, weight_y in ((row, one - fraction_y), (row + 1, fraction_y)):
        for x, weight_x in ((column, one - fraction_x), (column + 1, fraction_x)):
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            pixel = features[sample, :, np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
            acc += pixel * (weight_y * weight_x * inside)[..., None]
    return rescale.reference(np.moveaxis(acc, -1, 1), m, k, lo, hi)


def kernel(
    features: Tensor,
    points: Tensor,
    m: int,
    k: int,
    *,
    fraction_bits: int,
    bits: int,
    lo: int,
    hi: int,
) -> Tensor:
    """The codes of `reference`.

    Args:
        features: codes (B, C, h, w).
        points: int16 codes (B, H, W, 2), of any dtype.
        fraction_bits: f, at most `MAX_FRACTION_BITS`.
        bits: of the features.
    """
    indices, weights = taps(
        points, height=features.shape[2], width=features.shape[3], fraction_bits=fraction_bits
    )
    return rounded_taps(
        features,
        indices,
        weights,
        m * 2.0**-k,
        weight_sum=4**fraction_bits,
        bits=bits,
        lo=lo,
        hi=hi,
    )


def taps(points: Tensor, *, height: int, width: int, fraction_bits: int) -> tuple[Tensor, Tensor]:
    """The four pixels around each point and their weights.

    Returns:
        (indices, weights): (B, H, W, 4) int64 `row * width + column`, and integers as float32.

    Raises:
        ValueError: more fraction bits than `MAX_FRACTION_BITS`.
    """
    if not 0 <= fraction_bits <= MAX_FRACTION_BITS:
        raise ValueError(f"points have {fraction_bits} fraction bits, expected 0 to {MAX_FRACTION_BITS}")
    codes = points.float()
    # Planes of one number each: an innermost axis of two or four would be too short to vectorise.
    columns = _axis_taps(codes[..., 0], fraction_bits, width)
    rows = _axis_taps(codes[..., 1], fraction_bits, height)
    indices = [row * width + column for row, _ in rows for column, _ in columns]
    weights = [row_weight * column_weight for _, row_weight in rows for _, column_weight in columns]
    return torch.stack(indices, dim=-1), torch.stack(weights, dim=-1)


def _axis_taps(codes: Tensor, fraction_bits: int, size: int) -> list[tuple[Tensor, Tensor]]:
    """The two pixels (B, H, W) around a coordinate and their weights, 0 outside."""
    one = 2**fraction_bits
    whole = (codes * 2.0**-fraction_bits).floor()
    fraction = codes - whole * one
    taps = ((whole, one - fraction), (whole + 1, fraction))
    return [
        (pixel.clamp(0, size - 1).long(), weight * ((pixel >= 0) & (pixel < size))) for pixel, weight in taps
    ]
