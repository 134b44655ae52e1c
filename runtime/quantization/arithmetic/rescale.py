"""Rescaling: `y = clamp((acc * m + 2^(k-1)) >> k, lo, hi)`, rounding half up.

The real ratio of two scales is `m * 2^-k` with a multiplier of 15 bits. An accumulator of 31 bits and a sign
times a multiplier fits in 46 bits and a sign, so int64 and float64 hold every step exactly. From k = 47 on
every int32 accumulator gives 0 (2^31 * 2^15 is half of 2^47): larger shifts would say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from runtime.quantization.arithmetic.weighted_sum import weighted_sum

MULTIPLIER_BITS = 15
MAX_SHIFT = 47


def code_range(bits: int) -> tuple[int, int]:
    """Lowest and highest code: (-128, 127) for 8 bits, (-32768, 32767) for 16.

    Raises:
        ValueError: other numbers of bits.
    """
    if bits not in (8, 16):
        raise ValueError(f"codes of {bits} bits, expected 8 or 16")
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def multiplier(
    ratio: ArrayLike, *, bits: int = MULTIPLIER_BITS
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Multipliers m, 2^14 <= m < 2^15, and shifts k of the `m * 2^-k` nearest to each ratio, ties upwards.

    Args:
        ratio: positive numbers of any shape.
        bits: significant bits of m, 1 to 15; 1 leaves powers of two (m = 2^14).

    Raises:
        ValueError: a ratio that is not positive and finite, or whose k is not in [1, MAX_SHIFT].
    """
    if not 1 <= bits <= MULTIPLIER_BITS:
        raise ValueError(f"multiplier of {bits} bits, expected 1 to {MULTIPLIER_BITS}")
    ratios = np.asarray(ratio, dtype=np.float64)
    _refuse(ratios, ~(np.isfinite(ratios) & (ratios > 0)), "is not a positive number")
    fraction, exponent = np.frexp(ratios)  # ratio = fraction * 2^exponent, 1/2 <= fraction < 1
    significand = np.floor(fraction * 2**bits + 0.5).astype(np.int64)
    carry = significand == 2**bits
    m = np.where(carry, significand >> 1, significand) << (MULTIPLIER_BITS - bits)
    k = MULTIPLIER_BITS - exponent.astype(np.int64) - carry
    _refuse(ratios, (k < 1) | (k > MAX_SHIFT), f"needs a shift outside 1 to {MAX_SHIFT}")
    return m, k


def _refuse(ratios: NDArray[np.float64], bad: NDArray[np.bool_], why: str) -> None:
    if np.any(bad):
        shown = ", ".join(f"{value:g}" for value in ratios[bad][:5])
        more = f" and {np.count_nonzero(bad) - 5} more" if np.count_nonzero(bad) > 5 else ""
        raise ValueError(f"ratio of scales {shown}{more} {why}")


def common_multipliers(
    ratios: Sequence[float], *, bits: int = MULTIPLIER_BITS
) -> tuple[NDArray[np.int64], int]:
    """Multipliers of one common shift for a sum, such that the largest one has 15 bits.

    A ratio below 2^-15 of the largest has the multiplier 0.

    Args:
        ratios: positive numbers.
        bits: significant bits of each multiplier, see `multiplier`.

    Raises:
        ValueError: as `multiplier`, the shift being that of the largest ratio; or no ratios.
    """
    values = np.asarray(ratios, dtype=np.float64)
    if values.ndim != 1 or not values.size:
        raise ValueError(f"expected one or more ratios, got {ratios!r}")
    _refuse(values, ~(np.isfinite(values) & (values > 0)), "is not a positive number")
    _, shift = multiplier(values.max(), bits=bits)
    k = int(shift)
    return nearest_integers(np.ldexp(values, k), bits=bits), k


def nearest_integers(values: NDArray[np.float64], *, bits: int) -> NDArray[np.int64]:
    """The integers of at most `bits` significant bits nearest to numbers from 0 on, ties upwards."""
    # The weight of the last of the significant bits, at least 1.
    last = np.ldexp(1.0, np.maximum(np.frexp(values)[1] - bits, 0))
    return (np.floor(values / last + 0.5) * last).astype(np.int64)


class Rescale(NamedTuple):
    """What the torch kernels need of multipliers and shifts.

    Args:
        factor: `m * 2^-k`, float64, () or (C, 1, 1).
        step: `2^-k`, of the same shape; scales a residual's multiplier, which shares the shift.
    """

    factor: Tensor
    step: Tensor

    @classmethod
    def of(cls, m: ArrayLike, k: ArrayLike) -> Rescale:
        """From multipliers and shifts, both () or (C,)."""
        multipliers, shifts = np.broadcast_arrays(
            np.asarray(m, dtype=np.float64), np.asarray(k, dtype=np.int64)
        )
        step = np.ldexp(1.0, -shifts)
        return cls(_per_channel(multipliers * step), _per_channel(step))

    def to(self, device: torch.device | str) -> Rescale:
        """The same on another device."""
        return Rescale(self.factor.to(device), self.step.to(device))


def _per_channel(values: NDArray[np.float64]) -> Tensor:
    if values.ndim > 1:
        raise ValueError(f"multipliers of shape {values.shape}, expected () or (C,)")
    tensor = torch.from_numpy(np.array(values, dtype=np.float64))
    return tensor[:, None, None] if tensor.dim() else tensor


def round_shift(total: NDArray[np.int64], k: ArrayLike, lo: int, hi: int) -> NDArray[np.int64]:
    """`clamp((total + 2^(k-1)) >> k, lo, hi)`, the rounding that every reference ends with."""
    shift = np.asarray(k, dtype=np.int64)
    return np.clip((total + (np.int64(1) << (shift - 1))) >> shift, lo, hi)


def reference(acc: NDArray[np.int64], m: ArrayLike, k: ArrayLike, lo: int, hi: int) -> NDArray[np.int64]:
    """`clamp((acc * m + 2^(k-1)) >> k, lo, hi)` in int64; m and k are broadcast to acc."""
    return round_shift(acc * np.asarray(m, dtype=np.int64), k, lo, hi)


def kernel(acc: Tensor, rescale: Rescale, *, lo: int, hi: int, bias: Tensor | None = None) -> Tensor:
    """The codes of `reference(acc + bias, ...)`.

    Args:
        acc: integers (B, C, H, W), float32 or float64.
        bias: (C,) float64 integers.
    """
    offset = 0.5 if bias is None else bias.reshape(-1, 1, 1) * rescale.factor + 0.5
    return weighted_sum([(acc, rescale.factor)], offset, lo=lo, hi=hi)
