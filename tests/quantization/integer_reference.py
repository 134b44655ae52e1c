"""What a quantised module must give for codes: the numpy references, fed from scales and weights alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from runtime.models.blocks import BinAvgPool
from runtime.models.blocks.avg_pool import bin_kernel
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
from runtime.quantization.arithmetic.rescale import common_multipliers, multiplier
from runtime.quantization.modules.add import QuantizedAdd
from runtime.quantization.modules.base import QuantizedModule
from runtime.quantization.modules.conv import WeightedModule

Int64 = NDArray[np.int64]


def codes(x: Tensor) -> Int64:
    """Integers of a tensor that must hold nothing else."""
    values = x.detach().double().cpu().numpy()
    assert (values == np.floor(values)).all(), "not integers"
    return values.astype(np.int64)


def reference(module: QuantizedModule, inputs: list[Any]) -> NDArray[Any]:
    """Codes of the output, real numbers where they leave the network, accumulators where a sum rounds."""
    result = _integers(module, inputs)
    if module.is_output and module.quant is not None:
        return quantize.dequantize(result, module.quant.value())
    return result


def _integers(module: QuantizedModule, inputs: list[Any]) -> NDArray[Any]:
    if isinstance(module, WeightedModule):
        return _weighted(module, codes(inputs[0]))
    low, high = _bounds(module)
    out = module.output_scale()
    if module.op == "input":
        return quantize.quantize(inputs[0].double().numpy(), out, lo=low, hi=high)
    if isinstance(module, QuantizedAdd) and module.accumulating is not None:
        return _fused(module, inputs)
    ratios, bits = [source.value() / out for source in module.sources], module.multiplier_bits
    if module.op == "add":
        ms, k = common_multipliers(ratios, bits=bits)
        return add.reference([codes(x) for x in inputs], ms, k, lo=low, hi=high)
    if module.op == "concat":
        pairs = [
            None if ratio == 1 else tuple(int(v) for v in multiplier(ratio, bits=bits)) for ratio in ratios
        ]
        return concat.reference([codes(x) for x in inputs], pairs, lo=low, hi=high)
    if module.op == "multiply":
        m, k = multiplier(module.sources[0].value() * module.sources[1].value() / out, bits=bits)
        return multiply.reference(codes(inputs[0]), codes(inputs[1]), int(m), int(k), lo=low, hi=high)
    x = codes(inputs[0])
    if module.op == "lookup":
        function: Any = {nn.Sigmoid: lookup.sigmoid, nn.SiLU: lookup.silu}[type(module.function)]
        source, quant = module.sources[0], module.quant
        table = lookup.table(
            function,
            in_scale=source.value(),
            out_scale=out,
            in_bits=source.bits,
            out_bits=quant.bits,
            lo=low,
            hi=high,
        )
        return lookup.reference(x, table, bits=source.bits)
    if module.op == "view_sum":
        m, k = multiplier(ratios[0], bits=bits)
        return view_sum.reference(x, int(m), int(k), num_views=module.num_views, lo=low, hi=high)
    if module.op == "resize":
        m, k = multiplier(ratios[0] / 2**16, bits=bits)
        return resize.bilinear_reference(x, inputs[1], int(m), int(k), lo=low, hi=high)
    if module.op == "grid_sample":
        fraction_bits = -int(math.log2(module.points.value()))
        points = quantize.quantize(
            inputs[1].double().numpy(), module.points.value(), lo=-(2**15), hi=2**15 - 1
        )
        m, k = multiplier(ratios[0] / 4**fraction_bits, bits=bits)
        return grid_sample.reference(x, points, int(m), int(k), fraction_bits=fraction_bits, lo=low, hi=high)
    assert module.op == "avg_pool", module.op
    bins = module.pool.bins if isinstance(module.pool, BinAvgPool) else 1
    window = [bin_kernel(size, min(bins, size)) for size in x.shape[-2:]]
    m, k = multiplier(ratios[0] / (window[0][0] * window[1][0]), bits=bits)
    sides = {"kernel_size": (window[0][0], window[1][0]), "stride": (window[0][1], window[1][1])}
    return avg_pool.reference(x, int(m), int(k), lo=low, hi=high, **sides)


def _bounds(module: QuantizedModule) -> tuple[int, int]:
    bits = module.quant.bits
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if isinstance(module.act, nn.ReLU6):
        return 0, min(high, math.floor(6 / module.quant.value() + 0.5))
    return (0, high) if isinstance(module.act, nn.ReLU) else (low, high)


def snapped(module: WeightedModule) -> tuple[Int64, Int64, Int64 | None, Int64 | None]:
    """Weight codes, bias codes, m and k, computed once more from real weights and scales."""
    layer = module.layer
    weight = layer.weight.detach().double().numpy()
    weight = weight.reshape(*weight.shape, *[1] * (4 - weight.ndim))
    bias = layer.bias.detach().double().numpy()
    scale = module.weight_scale.double().numpy() * (1 + module.weight_gain.detach().double().numpy())
    in_scale = module.sources[0].value()
    rounding = module.rounded_by or module.quant
    m, k, bits = None, None, module.multiplier_bits
    scale = np.maximum(scale, np.abs(bias) / (in_scale * 2.0**30))
    if rounding is not None:
        out = rounding.value()
        scale = np.maximum(scale, 2.0 ** (14 - module.max_shift) * out / in_scale)
        m, k = multiplier(in_scale * scale / out, bits=bits)
        scale = m * 2.0**-k * out / in_scale
    weight_codes = np.floor(weight / scale[:, None, None, None] + 0.5).clip(-127, 127).astype(np.int64)
    return weight_codes, np.floor(bias / (in_scale * scale) + 0.5).astype(np.int64), m, k


def _layout(module: WeightedModule) -> dict[str, Any]:
    layer = module.layer
    if isinstance(layer, nn.Linear):
        return {}
    names = ("stride", "padding", "dilation", "groups")
    return {name: getattr(layer, name) for name in names}


def _weighted(module: WeightedModule, x: Int64) -> NDArray[Any]:
    weight, bias, m, k = snapped(module)
    x = x.reshape(*x.shape, *[1] * (4 - x.ndim))
    acc = conv.accumulate(x, weight, **_layout(module)) + bias[:, None, None]
    if module.rounded_by is not None:
        return acc
    if m is None:
        steps = torch.from_numpy(module.codes.scale * module.sources[0].value()).view(-1, 1, 1)
        result = (torch.from_numpy(acc).double() * steps).float().numpy()
    else:
        low, high = _bounds(module)
        result = conv.reference(x, weight, bias, m, k, lo=low, hi=high, **_layout(module))
    return result.reshape(result.shape[:2]) if isinstance(module.layer, nn.Linear) else result


def _fused(module: QuantizedAdd, inputs: list[Any]) -> Int64:
    fused = module.accumulating
    position = next(
        i for i, x in enumerate(inputs) if module.sources[i] is module.quant and x.dtype == torch.float64
    )
    _, _, m, k = snapped(fused)
    other = module.sources[1 - position]
    residual_m = other.value() / module.output_scale() * np.exp2(k.astype(float))
    last = 1.0
    if module.multiplier_bits < 15:
        last = np.maximum(np.exp2(np.floor(np.log2(residual_m)) + 1 - module.multiplier_bits), 1.0)
    residual_m = np.floor(residual_m / last + 0.5) * last
    total = codes(inputs[position]) * m[:, None, None]
    total = total + codes(inputs[1 - position]) * residual_m.astype(np.int64)[:, None, None]
    low, high = _bounds(module)
    shift = k[:, None, None]
    return np.clip((total + (np.int64(1) << (shift - 1))) >> shift, low, high)
