"""Convolution: `y = clamp(((sum x * w + b) * m + r * m_r + 2^(k-1)) >> k, lo, hi)`.

One rounding for each output value; m and k are of the output channel. The residual r is optional and is
added before the rounding, at the convolution's shift. A linear layer is a 1x1 convolution of (B, C, 1, 1).

Products are accumulated in float32, which is exact on the digits of a `ConvPlan` as long as the convolution
is computed as sums of products. Algorithms that transform their input first (Winograd, FFT) are not.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn import functional as F

from runtime.quantization.arithmetic import digits
from runtime.quantization.arithmetic.accumulator import (
    AccumulatorOverflow,
    accumulator_bound,
    check_accumulator,
    residual_fits,
)
from runtime.quantization.arithmetic.digits import DigitPlan
from runtime.quantization.arithmetic.rescale import Rescale, round_shift
from runtime.quantization.arithmetic.weighted_sum import Term, weighted_sum

__all__ = [
    "AccumulatorOverflow",
    "ConvPlan",
    "accumulate",
    "accumulate_kernel",
    "accumulator_bound",
    "check_accumulator",
    "kernel",
    "plan",
    "reference",
    "residual_fits",
]

Pair = int | tuple[int, int]

# GPUs round the factors of float32 convolutions to TF32, which has the integers up to 2^11.
_LARGEST_DIGIT = 2**11


@dataclass(frozen=True)
class ConvPlan:
    """How a layer's convolution stays exact in floating point, fixed by its weights.

    Args:
        digits: split of the input's codes.
    """

    digits: DigitPlan


def plan(weight: NDArray[np.int64], *, bits: int) -> ConvPlan:
    """The plan for weight codes (O, C / groups, kh, kw) and inputs of `bits` bits."""
    weight_sum = int(np.abs(weight).reshape(len(weight), -1).sum(axis=1).max())
    return ConvPlan(digits.plan(weight_sum, bits=bits, largest_digit=_LARGEST_DIGIT))


def accumulate(
    x: NDArray[np.int64],
    weight: NDArray[np.int64],
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> NDArray[np.int64]:
    """Sums of products (B, O, H', W') of codes (B, C, H, W), weights (O, C / groups, kh, kw); no bias."""
    (step_y, step_x), (pad_y, pad_x), (dilate_y, dilate_x) = _pair(stride), _pair(padding), _pair(dilation)
    batch, _, height, width = x.shape
    outputs, inputs, kernel_y, kernel_x = weight.shape
    out_height = (height + 2 * pad_y - dilate_y * (kernel_y - 1) - 1) // step_y + 1
    out_width = (width + 2 * pad_x - dilate_x * (kernel_x - 1) - 1) // step_x + 1
    padded = np.pad(x.astype(np.int64), ((0, 0), (0, 0), (pad_y, pad_y), (pad_x, pad_x)))
    grouped = padded.reshape(batch, groups, inputs, *padded.shape[-2:])
    kernels = weight.astype(np.int64).reshape(groups, outputs // groups, inputs, kernel_y, kernel_x)
    acc = np.zeros((batch, groups, outputs // groups, out_height, out_width), dtype=np.int64)
    for row in range(kernel_y):
        for column in range(kernel_x):
            top, left = row * dilate_y, column * dilate_x
            seen = grouped[
                ...,
                top : top + (out_height - 1) * step_y + 1 : step_y,
                left : left + (out_width - 1) * step_x + 1 : step_x,
            ]
            acc += np.einsum("bgchw,goc->bgohw", seen, kernels[..., row, column])
    return acc.reshape(batch, outputs, out_height, out_width)


def _pair(value: Pair) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def reference(
    x: NDArray[np.int64],
    weight: NDArray[np.int64],
    bias: NDArray[np.int64] | None,
    m: NDArray[np.int64],
    k: NDArray[np.int64],
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
    lo: int,
    hi: int,
    residual: NDArray[np.int64] | None = None,
    residual_m: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Codes (B, O, H', W') of codes (B, C, H, W).

    Args:
        weight: (O, C / groups, kh, kw).
        bias: (O,) at scale s_x * s_w.
        m: (O,) multipliers.
        k: (O,) shifts.
        residual: (B, O, H', W') codes to add before the rounding.
        residual_m: (O,) or () multipliers of the residual at the shifts k.
    """
    acc = accumulate(x, weight, stride=stride, padding=padding, dilation=dilation, groups=groups)
    if bias is not None:
        acc = acc + _channels(bias)
    total = acc * _channels(m)
    if residual is not None:
        total = total + residual * _channels(1 if residual_m is None else residual_m)
    return round_shift(total, _channels(k), lo, hi)


def _channels(values: ArrayLike) -> NDArray[np.int64]:
    array = np.asarray(values, dtype=np.int64)
    return array[:, None, None] if array.ndim else array


def _partial_sums(
    x: Tensor, weight: Tensor, plan: ConvPlan, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> list[Tensor]:
    """Sums of products for each digit of the input, lowest first."""
    used = weight.double() if plan.digits.double else weight
    parts = digits.split(x, plan.digits)
    if x.shape[1] == 1:
        parts = [_channels_outermost(part) for part in parts]
    # Within a region of mixed precision, convolutions would round their results to half precision.
    mixed = torch.is_autocast_enabled(x.device.type)
    with torch.autocast(x.device.type, enabled=False) if mixed else nullcontext():
        return [F.conv2d(part, used, None, stride, padding, dilation, groups) for part in parts]


def _channels_outermost(x: Tensor) -> Tensor:
    """(B, 1, H, W) in the usual order of memory, which only strides tell from "channels last".

    In that, oneDNN has wrong sums for several samples of one channel where the stride is 2 and the result has
    one column.
    """
    return x.squeeze(1).contiguous().unsqueeze(1)


def kernel(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    rescale: Rescale,
    *,
    plan: ConvPlan,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
    lo: int,
    hi: int,
    residual: Tensor | None = None,
    residual_m: Tensor | float | None = None,
) -> Tensor:
    """The codes of `reference`.

    Args:
        x: codes (B, C, H, W).
        weight: float32 codes (O, C / groups, kh, kw).
        bias: float64 (O,).
        rescale: of (O, 1, 1) or ().
        plan: from `plan(weight, ...)`.
        residual: codes (B, O, H', W').
        residual_m: float64 (O,) or (), or a number.
    """
    parts = _partial_sums(x, weight, plan, stride, padding, dilation, groups)
    terms: list[Term] = [
        (part, rescale.factor * 2.0 ** (plan.digits.width * place)) for place, part in enumerate(parts)
    ]
    if residual is not None:
        multipliers = 1.0 if residual_m is None else residual_m
        if isinstance(multipliers, Tensor) and multipliers.dim():
            multipliers = multipliers.reshape(-1, 1, 1)
        terms.append((residual, rescale.step * multipliers))
    offset = 0.5 if bias is None else bias.reshape(-1, 1, 1) * rescale.factor + 0.5
    return weighted_sum(terms, offset, lo=lo, hi=hi, out=parts[0])


def accumulate_kernel(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    *,
    plan: ConvPlan,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """The integers `accumulate(...) + bias` as float64: for model outputs, which are not rounded."""
    parts = _partial_sums(x, weight, plan, stride, padding, dilation, groups)
    total = parts[0].double()
    for place, part in enumerate(parts[1:], start=1):
        total = total + part.double() * 2.0 ** (plan.digits.width * place)
    return total if bias is None else total + bias.reshape(-1, 1, 1)
