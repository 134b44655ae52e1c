"""Weights, biases and multipliers as integers: scales are moved to where the arithmetic is exact.

A convolution rescales its accumulator by s_x s_w[c] / s_y. The chip multiplies by m[c] 2^-k[c] instead, so
s_w[c] is moved, by less than one part in 2^15, until both are the same number. From then on rounding to codes
is the only loss, and fake quantisation, file and board agree on every bit. Multipliers of fewer bits move
s_w[c] further; for those of very few, scales were chosen to suit (`scale_grid`), and nothing moves here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from runtime.errors import RunError
from runtime.quantization.arithmetic.rescale import (
    MAX_SHIFT,
    MULTIPLIER_BITS,
    common_multipliers,
    multiplier,
    nearest_integers,
)

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

WEIGHT_BOUND = 127
# Below it a rescale gives 0 whatever it is given, as from a tensor that never was anything but 0.
_LEAST_RATIO = 2.0 ** (14 - MAX_SHIFT)
_BIAS_BOUND = 2.0**30
# Share of itself by which a ratio may be missed: a half of the last of 8 bits.
_TOLERANCE = 2.0**-8


@dataclass(frozen=True)
class SnappedWeights:
    """A weighted operation in integers.

    Args:
        weight: codes (O, ...).
        bias: codes (O,) at the scale `in_scale * scale`.
        scale: (O,) value of one weight code, after the move.
        multiplier: m (O,); None where the accumulator itself is the result.
        shift: k (O,).
    """

    weight: Int64
    bias: Int64
    scale: Float64
    multiplier: Int64 | None
    shift: Int64 | None


def snap_weights(
    name: str,
    weight: Float64,
    bias: Float64,
    weight_scale: Float64,
    *,
    in_scale: float,
    out_scale: float | None,
    max_shift: int = MAX_SHIFT,
    bits: int = MULTIPLIER_BITS,
) -> SnappedWeights:
    """Integers of a convolution or linear layer.

    A channel whose scale is so small that its bias or shift would not fit gets the smallest scale that does:
    its weights then are (nearly) nothing beside its bias, or beside one step of the output.

    Args:
        name: of the layer, for messages.
        weight: (O, ...) real values.
        bias: (O,) real values.
        weight_scale: (O,) value of one weight code, as chosen.
        in_scale: value of one code of the input.
        out_scale: value of one code of the output; None for a result that stays an accumulator.
        max_shift: largest k.
        bits: significant bits of each m.

    Raises:
        RunError: a scale is missing, or weights are not finite.
    """
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise RunError(f"`{name}` has weights that are not finite")
    if not (weight_scale > 0).all() or not np.isfinite(weight_scale).all():
        raise RunError(
            f"the weights of `{name}` have no scale: the model was never calibrated",
            hint="run the stage `calibration` first",
        )
    scale = np.maximum(weight_scale, np.abs(bias) / (in_scale * _BIAS_BOUND))
    m = k = None
    if out_scale is not None:
        # m is at least 2^14, so k stays in bounds from here up.
        scale = np.maximum(scale, 2.0 ** (14 - max_shift) * out_scale / in_scale)
        with _named(name):
            m, k = multiplier(in_scale * scale / out_scale, bits=bits)
        scale = m * np.exp2(-k.astype(np.float64)) * out_scale / in_scale
    column = scale.reshape(-1, *[1] * (weight.ndim - 1))
    codes = np.clip(np.floor(weight / column + 0.5), -WEIGHT_BOUND, WEIGHT_BOUND).astype(np.int64)
    bias_codes = np.floor(bias / (in_scale * scale) + 0.5).astype(np.int64)
    return SnappedWeights(codes, bias_codes, scale, m, k)


def snap_ratio(name: str, ratio: float, *, bits: int = MULTIPLIER_BITS) -> tuple[int, int]:
    """m, of `bits` significant bits, and k of the operation `name`, which rescales by `ratio`.

    Raises:
        RunError: the ratio is above what the arithmetic has, or no such m is near.
    """
    wanted = max(ratio, _LEAST_RATIO)
    with _named(name):
        m, k = multiplier(wanted, bits=bits)
    _refuse_missed(name, m, np.ldexp(wanted, k), bits)
    return int(m), int(k)


def snap_ratios(name: str, ratios: Sequence[float], *, bits: int = MULTIPLIER_BITS) -> tuple[list[int], int]:
    """Multipliers of one shift for the sum `name`, whose inputs are rescaled by `ratios`.

    Raises:
        RunError: as `snap_ratio`.
    """
    wanted = [max(ratio, _LEAST_RATIO) for ratio in ratios]
    with _named(name):
        ms, k = common_multipliers(wanted, bits=bits)
    _refuse_missed(name, ms, np.ldexp(wanted, k), bits)
    return [int(m) for m in ms], k


def snap_residual(name: str, ratio: float, shift: Int64, *, bits: int = MULTIPLIER_BITS) -> Int64:
    """Multipliers (O,) of the input of the sum `name` that joins an accumulator at the shifts (O,).

    Those of 15 bits take as many as the shift gives them; fewer bits are a limit here as well.

    Raises:
        RunError: no number of so many bits is near.
    """
    wanted = ratio * np.exp2(shift.astype(np.float64))
    if bits == MULTIPLIER_BITS:
        return np.floor(wanted + 0.5).astype(np.int64)
    ms = nearest_integers(wanted, bits=bits)
    _refuse_missed(name, ms, wanted, bits)
    return ms


def _refuse_missed(name: str, m: ArrayLike, wanted: ArrayLike, bits: int) -> None:
    """Refuse multipliers that are further from the wanted ones than int8 codes take without harm."""
    exact = np.atleast_1d(np.asarray(wanted, dtype=np.float64))
    missed = np.abs(np.atleast_1d(m) - exact)
    # A half is the rounding to an integer, which small inputs of a sum always have.
    bad = missed > np.maximum(0.5, exact * _TOLERANCE)
    if bad.any():
        share = (missed / exact)[bad].max()
        raise RunError(
            f"`{name}` rescales by a factor that multipliers of {bits} significant bits miss by {share:.0%}",
            hint="a fixed `scale` that is no power of two, or a mean over pixels without a convolution "
            "after it, does not fit this chip",
        )


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise RunError(
            f"`{name}` rescales by a factor outside of the arithmetic ({error})",
            hint="its input or output has an implausible range: look at the calibration report",
        ) from error
