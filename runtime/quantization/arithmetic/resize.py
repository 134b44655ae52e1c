"""Resizing: nearest moves codes, bilinear is `y = clamp((sum_t q_t * wy_t * wx_t * m + 2^(k-1)) >> k)`.

Convention: the outer edges of both maps coincide (`align_corners=False`), the border is repeated. Bilinear
weights of each axis have 8 fraction bits and add up to 256, so m * 2^-k contains 2^-16.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from runtime.quantization.arithmetic import rescale
from runtime.quantization.arithmetic.four_taps import rounded_taps

_AXIS = 2**8
WEIGHT_PRODUCT = _AXIS**2
"""What the four weights of a pixel add up to."""

Size = tuple[int, int]
Indices = NDArray[np.int64]
AxisWeights = tuple[Indices, Indices, Indices, Indices]
"""Two input pixels of each output pixel along an axis, and their weights: see `axis_weights`."""


def nearest_index(in_size: int, out_size: int) -> Indices:
    """The input pixel of each output pixel, (out_size,): that of `torch.nn.functional.interpolate`."""
    # torch rounds the step and the product to float32, which decides where an exact product is an integer.
    step = np.float32(in_size) / np.float32(out_size)
    source = np.floor(np.arange(out_size, dtype=np.float32) * step)
    return np.minimum(source.astype(np.int64), in_size - 1)


def nearest_reference(x: NDArray[np.int64], size: Size) -> NDArray[np.int64]:
    """Codes (B, C, *size) of codes (B, C, h, w)."""
    rows, columns = nearest_index(x.shape[2], size[0]), nearest_index(x.shape[3], size[1])
    return x[:, :, rows[:, None], columns]


def nearest(x: Tensor, size: Size) -> Tensor:
    """The codes of `nearest_reference`."""
    return F.interpolate(x, size=size, mode="nearest")


def axis_weights(in_size: int, out_size: int) -> AxisWeights:
    """Two input pixels of each output pixel and their weights, (out_size,) each.

    Output pixel i lies at `max((i + 1/2) * in_size / out_size - 1/2, 0)`; the second weight is the part after
    the point in 256ths, rounded half up, the first one the rest.

    Returns:
        (index0, index1, weight0, weight1).
    """
    step = in_size / out_size
    source = np.maximum((np.arange(out_size, dtype=np.float64) + 0.5) * step - 0.5, 0.0)
    index0 = np.minimum(np.floor(source).astype(np.int64), in_size - 1)
    index1 = np.minimum(index0 + 1, in_size - 1)
    weight1 = np.floor(np.clip(source - index0, 0.0, 1.0) * _AXIS + 0.5).astype(np.int64)
    return index0, index1, _AXIS - weight1, weight1


def bilinear_reference(
    x: NDArray[np.int64], size: Size, m: int, k: int, *, lo: int, hi: int
) -> NDArray[np.int64]:
    """Codes (B, C, *size) of codes (B, C, h, w)."""
    top, bottom, top_weight, bottom_weight = axis_weights(x.shape[2], size[0])
    left, right, left_weight, right_weight = axis_weights(x.shape[3], size[1])
    acc = np.zeros((*x.shape[:2], *size), dtype=np.int64)
    for rows, row_weight in ((top, top_weight), (bottom, bottom_weight)):
        for columns, column_weight in ((left, left_weight), (right, right_weight)):
            acc += x[:, :, rows[:, None], columns] * (row_weight[:, None] * column_weight)
    return rescale.reference(acc, m, k, lo, hi)


def bilinear(x: Tensor, size: Size, m: int, k: int, *, bits: int, lo: int, hi: int) -> Tensor:
    """The codes of `bilinear_reference`; `bits` of the input."""
    rows, columns = axis_weights(x.shape[2], size[0]), axis_weights(x.shape[3], size[1])
    return between_pixels(x, rows, columns, m, k, bits=bits, lo=lo, hi=hi)


def between_pixels(
    x: Tensor, rows: AxisWeights, columns: AxisWeights, m: int, k: int, *, bits: int, lo: int, hi: int
) -> Tensor:
    """Codes (B, C, rows, columns) between the pixels of x that `axis_weights` names, or a part of them."""
    row_indices, row_weights = _taps(rows, x.device)
    column_indices, column_weights = _taps(columns, x.device)
    indices = (row_indices[:, None, :, None] * x.shape[3] + column_indices[None, :, None, :]).flatten(-2)
    weights = (row_weights[:, None, :, None] * column_weights[None, :, None, :]).flatten(-2)
    return rounded_taps(
        x,
        indices.expand(x.shape[0], -1, -1, -1),
        weights.float().expand(x.shape[0], -1, -1, -1),
        m * 2.0**-k,
        weight_sum=WEIGHT_PRODUCT,
        bits=bits,
        lo=lo,
        hi=hi,
    )


def _taps(axis: AxisWeights, device: torch.device) -> tuple[Tensor, Tensor]:
    """Indices and weights of one axis, int64 (out_size, 2) each."""
    index0, index1, weight0, weight1 = axis
    indices = torch.tensor([index0.tolist(), index1.tolist()], device=device)
    weights = torch.tensor([weight0.tolist(), weight1.tolist()], device=device)
    return indices.T, weights.T
