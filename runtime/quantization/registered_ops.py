"""The operations of fixed point as torch operators: what `torch.export` sees of a quantised model.

`specgen::<operation>` is an operation of `arithmetic`, computed by its kernel; a traced program holds it as
one node, with everything that says what it computes. Eager modules call the kernels themselves: an operator's
dispatch costs more than a small map.

Codes are float32 tensors of integers. Where codes are made, `scale` is the value of one, `bits` are those of
the tensor that holds them, `lo` and `hi` are the bounds. The bits of inputs are not told: the kernels are
exact for int16, and so for int8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from runtime.quantization.arithmetic import (
    add,
    avg_pool,
    concat,
    conv,
    grid_sample,
    lookup,
    multiply,
    quantize,
    resize,
    view_sum,
)
from runtime.quantization.arithmetic.weighted_sum import weighted_sum

NAMESPACE = "specgen"
_CODES = "float scale, int bits, int lo, int hi"
_WINDOW = "int[] stride, int[] padding, int[] dilation, int groups"
# Of inputs, when a program is run by torch.
_BITS = 16


def _operator(name: str, arguments: str, kernel: Callable[..., Tensor], shape: Callable[..., Tensor]) -> Any:
    """Registers `specgen::<name>`; `shape` gives a result of the right shape and no values."""
    operator = torch.library.custom_op(
        f"{NAMESPACE}::{name}", kernel, mutates_args=(), schema=f"({arguments}) -> Tensor"
    )
    operator.register_fake(shape)
    return operator


def _as_map(x: Tensor) -> Tensor:
    return x[:, :, None, None] if x.dim() == 2 else x


def _accumulate(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> Tensor:
    acc = conv.accumulate_kernel(
        _as_map(x),
        weight,
        bias,
        plan=conv.plan(weight.long().cpu().numpy(), bits=_BITS),
        stride=(stride[0], stride[1]),
        padding=(padding[0], padding[1]),
        dilation=(dilation[0], dilation[1]),
        groups=groups,
    )
    return acc.flatten(1) if x.dim() == 2 else acc


def _accumulators(x: Tensor, weight: Tensor, bias: Tensor, *window: Any) -> Tensor:
    acc = F.conv2d(_as_map(x), weight, None, *window)
    return (acc.flatten(1) if x.dim() == 2 else acc).to(torch.float64)


def _conv(x: Tensor, weight: Tensor, bias: Tensor, factor: Tensor, *rest: Any) -> Tensor:
    *window, _scale, _bits, lo, hi = rest
    acc = _as_map(_accumulate(x, weight, bias, *window))
    codes = weighted_sum([(acc, factor)], 0.5, lo=lo, hi=hi)
    return codes.flatten(1) if x.dim() == 2 else codes


accumulate = _operator(
    "accumulate", f"Tensor x, Tensor weight, Tensor bias, {_WINDOW}", _accumulate, _accumulators
)
"""Sums of products and bias as float64, of a map (B, C, H, W) or of (B, C)."""

convolve = _operator(
    "conv",
    f"Tensor x, Tensor weight, Tensor bias, Tensor factor, {_WINDOW}, {_CODES}",
    _conv,
    lambda x, weight, bias, factor, *rest: _accumulators(x, weight, bias, *rest[:4]).float(),
)
"""As `accumulate`, rescaled by `factor` (O, 1, 1) = m * 2^-k."""

round_sum = _operator(
    "round_sum",
    f"Tensor acc, Tensor factor, Tensor residual, Tensor step, Tensor residual_multiplier, {_CODES}",
    lambda acc, factor, residual, step, residual_multiplier, scale, bits, lo, hi: weighted_sum(
        [(acc, factor), (residual, step * residual_multiplier.view(-1, 1, 1))], 0.5, lo=lo, hi=hi
    ),
    lambda acc, *rest: torch.empty_like(acc, dtype=torch.float32),
)
"""A convolution's accumulator and a residual in one rounding; `step` is 2^-k."""

quantise = _operator(
    "quantize",
    f"Tensor x, {_CODES}",
    lambda x, scale, bits, lo, hi: quantize.quantize(x, scale, lo=lo, hi=hi),
    lambda x, *rest: torch.empty_like(x, dtype=torch.float32),
)

dequantise = _operator(
    "dequantize",
    "Tensor codes, float scale",
    quantize.dequantize,
    lambda codes, scale: torch.empty_like(codes, dtype=torch.float32),
)

dequantise_channels = _operator(
    "dequantize_channels",
    "Tensor acc, Tensor scale",
    lambda acc, scale: (_as_map(acc) * scale).float().view(acc.shape),
    lambda acc, scale: torch.empty_like(acc, dtype=torch.float32),
)
"""Accumulators to real numbers: `scale` (O, 1, 1) float64, one for each channel."""

add_maps = _operator(
    "add",
    f"Tensor[] inputs, int[] multipliers, int shift, {_CODES}",
    lambda inputs, multipliers, shift, scale, bits, lo, hi: add.kernel(
        inputs, multipliers, shift, lo=lo, hi=hi
    ),
    lambda inputs, *rest: torch.empty_like(inputs[0]),
)

sum_views = _operator(
    "view_sum",
    f"Tensor x, int multiplier, int shift, int num_views, {_CODES}",
    lambda x, multiplier, shift, num_views, scale, bits, lo, hi: view_sum.kernel(
        x, multiplier, shift, num_views=num_views, lo=lo, hi=hi
    ),
    lambda x, multiplier, shift, num_views, *rest: x.new_empty(x.shape[0] // num_views, *x.shape[1:]),
)

concatenate = _operator(
    "concat",
    f"Tensor[] inputs, int[] multipliers, int[] shifts, {_CODES}",
    lambda inputs, multipliers, shifts, scale, bits, lo, hi: concat.kernel(
        inputs, list(zip(multipliers, shifts, strict=True)), lo=lo, hi=hi
    ),
    lambda inputs, *rest: torch.cat(inputs, dim=1),
)

resize_bilinear = _operator(
    "resize_bilinear",
    f"Tensor x, int[] size, int multiplier, int shift, {_CODES}",
    lambda x, size, multiplier, shift, scale, bits, lo, hi: resize.bilinear(
        x, (size[0], size[1]), multiplier, shift, bits=_BITS, lo=lo, hi=hi
    ),
    lambda x, size, *rest: x.new_empty(*x.shape[:2], *size),
)

sample_grid = _operator(
    "grid_sample",
    f"Tensor x, Tensor points, int multiplier, int shift, int fraction_bits, {_CODES}",
    lambda x, points, multiplier, shift, fraction_bits, scale, bits, lo, hi: grid_sample.kernel(
        x, points, multiplier, shift, fraction_bits=fraction_bits, bits=_BITS, lo=lo, hi=hi
    ),
    lambda x, points, *rest: x.new_empty(*x.shape[:2], *points.shape[1:3]),
)

average_pool = _operator(
    "avg_pool",
    f"Tensor x, int multiplier, int shift, int[] kernel_size, int[] stride, {_CODES}",
    lambda x, multiplier, shift, kernel_size, stride, scale, bits, lo, hi: avg_pool.kernel(
        x,
        multiplier,
        shift,
        kernel_size=(kernel_size[0], kernel_size[1]),
        stride=(stride[0], stride[1]),
        bits=_BITS,
        lo=lo,
        hi=hi,
    ),
    lambda x, multiplier, shift, kernel_size, stride, *rest: F.avg_pool2d(x, kernel_size, stride),
)

look_up = _operator(
    "lookup",
    f"Tensor x, Tensor table, int in_bits, {_CODES}",
    lambda x, table, in_bits, scale, bits, lo, hi: lookup.kernel(x, table, bits=in_bits),
    lambda x, *rest: torch.empty_like(x),
)

multiply_maps = _operator(
    "multiply",
    f"Tensor x, Tensor gate, int multiplier, int shift, {_CODES}",
    lambda x, gate, multiplier, shift, scale, bits, lo, hi: multiply.kernel(
        x, gate, multiplier, shift, lo=lo, hi=hi
    ),
    lambda x, *rest: torch.empty_like(x),
)
