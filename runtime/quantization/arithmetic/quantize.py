"""Real numbers to codes and back: `q = clamp(floor(x / scale + 1/2), lo, hi)`, `x = q * scale`.

numpy and torch both divide and add in float64, and so round the same numbers the same way.
"""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Real = NDArray[np.float64] | NDArray[np.float32]


@overload
def quantize(x: Tensor, scale: Tensor | float, *, lo: int, hi: int) -> Tensor: ...
@overload
def quantize(x: Real, scale: Real | float, *, lo: int, hi: int) -> NDArray[np.int64]: ...
def quantize(x: Tensor | Real, scale: Any, *, lo: int, hi: int) -> Tensor | NDArray[np.int64]:
    """Codes of real numbers of any shape: float32 for a tensor, int64 for an array.

    Args:
        x: infinite values are clamped; NaN stays NaN in a tensor.
        scale: value of one code; anything that is broadcast to x.

    Raises:
        ValueError: an array with NaN, for which there is no integer.
    """
    if isinstance(x, Tensor):
        return (x.double() / scale + 0.5).floor().clamp(lo, hi).float()
    if np.isnan(x).any():
        raise ValueError("NaN has no code")
    return np.clip(np.floor(x.astype(np.float64) / scale + 0.5), lo, hi).astype(np.int64)


@overload
def dequantize(codes: Tensor, scale: Tensor | float) -> Tensor: ...
@overload
def dequantize(codes: NDArray[np.int64], scale: Real | float) -> NDArray[np.float32]: ...
def dequantize(codes: Tensor | NDArray[np.int64], scale: Any) -> Tensor | NDArray[np.float32]:
    """float32 values of codes or accumulators: the product in float64, rounded to float32."""
    if isinstance(codes, Tensor):
        return (codes.double() * scale).float()
    return (codes * np.asarray(scale, dtype=np.float64)).astype(np.float32)
