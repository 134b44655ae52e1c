"""Proofs about sums of products from the actual weights: an accumulator is never allowed to wrap."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from runtime.errors import RunError

ACCUMULATOR_MAX = 2**31 - 1
# Sums below this are exact in float64 with a bit to spare, and so is their rounding.
_EXACT = 2**52


class AccumulatorOverflow(RunError):
    """Weights whose accumulator could leave int32."""


def accumulator_bound(
    weight: NDArray[np.int64], bias: NDArray[np.int64] | None, *, bits: int
) -> NDArray[np.int64]:
    """Largest absolute accumulator of each output channel, (O,): `2^(bits-1) * sum|w| + |b|`.

    Args:
        weight: (O, C / groups, kh, kw) codes, or any (O, ...).
        bias: (O,) int32 codes, None for none.
        bits: of the input's codes.
    """
    sums = np.abs(weight.astype(np.int64)).reshape(len(weight), -1).sum(axis=1)
    bound = sums * 2 ** (bits - 1)
    return bound if bias is None else bound + np.abs(bias.astype(np.int64))


def check_accumulator(
    name: str, weight: NDArray[np.int64], bias: NDArray[np.int64] | None, *, bits: int
) -> None:
    """Proves that the accumulator of a layer fits in int32 whatever its input.

    Raises:
        AccumulatorOverflow: the bound of a channel exceeds 2^31 - 1.
    """
    bound = accumulator_bound(weight, bias, bits=bits)
    worst = int(bound.argmax())
    if bound[worst] > ACCUMULATOR_MAX:
        raise AccumulatorOverflow(
            f"the accumulator of `{name}` can reach {bound[worst]} in channel {worst} with int{bits} input, "
            f"more than {ACCUMULATOR_MAX} (int32)",
            hint="give the layer an int8 input" if bits > 8 else "a smaller kernel or fewer input channels",
        )


def residual_fits(
    m: NDArray[np.int64], k: NDArray[np.int64], bound: NDArray[np.int64], residual_m: ArrayLike, *, bits: int
) -> bool:
    """Whether `acc * m + q * m_r + 2^(k-1)` stays below 2^52 in every channel, whatever the input.

    Args:
        m: (O,) multipliers.
        k: (O,) shifts.
        bound: (O,) of `accumulator_bound`.
        residual_m: (O,) or () multipliers of the residual.
        bits: of the residual's codes.
    """
    channels = np.broadcast(m, k, bound, residual_m)
    # Python integers: the products of a pair that does not fit may not fit in int64 either.
    return all(
        int(b) * int(mi) + 2 ** (bits - 1) * int(ri) + 2 ** (int(ki) - 1) < _EXACT
        for mi, ki, b, ri in channels
    )
