"""Random nodes of every operation, for whatever tensors a graph has so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np
from random_moves import flip, max_pool, reshape, resize_nearest, slice_, transpose
from random_part import MAX_SIDE, Draw, Part, Tensors, is_map, pair

from runtime.hbir.graph import Attribute
from runtime.hbir.ops.one_rescale import OneRescale
from runtime.hbir.ops.single_node import random_bounds, random_codes, random_rescale
from runtime.hbir.ops.weighted import weights_for_test
from runtime.hbir.tensor_type import Constant, DType, Shape, TensorType
from runtime.quantization.arithmetic.rescale import common_multipliers

MAX_CHANNELS = 24
_DTYPES: tuple[DType, DType] = ("int8", "int16")


def _dtype(rng: np.random.Generator) -> DType:
    """int8 three times of four."""
    return _DTYPES[int(rng.integers(4) == 0)]


def _largest(tensor: TensorType) -> float:
    return float(np.iinfo(tensor.dtype).max)


def conv(tensors: Tensors, *, accumulates: bool = False, source: TensorType | None = None) -> Part | None:
    """Any window; some that keep the shape, half of those with a residual."""
    rng, x = tensors.rng, source or tensors.any(is_map)
    if x is None:
        return None
    channels, sides = x.shape[1], x.shape[2:]
    groups = int(rng.choice([count for count in range(1, channels + 1) if channels % count == 0]))
    kernel, dilation, stride = pair(rng, 1, 3), pair(rng, 1, 2), pair(rng, 1, 2)
    outputs = groups * int(rng.integers(1, max(1, 12 // groups) + 1))
    keeps = not accumulates and rng.integers(2) == 0
    if keeps:
        side = int(rng.choice([1, 3]))
        kernel, dilation, stride, outputs = (side, side), (1, 1), (1, 1), channels
    padding = []
    for size, taps, step in zip(sides, kernel, dilation, strict=True):
        reach = step * (taps - 1) + 1
        padding.append(reach // 2 if keeps else int(rng.integers(max(0, (reach - size + 1) // 2), reach)))
    window: dict[str, Attribute] = {"groups": groups, "stride": stride, "dilation": dilation}
    window["padding"] = (padding[0], padding[1])
    weights, largest = weights_for_test(rng, (outputs, channels // groups, *kernel), bits=x.bits)
    if accumulates:
        return Part("conv", [x], "int32", window, weights)
    out = _dtype(rng)
    weights |= _rescales(rng, out, largest, outputs)
    attributes = {**window, **random_bounds(rng, out)}
    residual = tensors.any(lambda tensor: tensor.shape == x.shape) if keeps and rng.integers(2) else None
    if residual is None:
        return Part("conv", [x], out, attributes, weights)
    shift = weights["shift"].integers
    factors = np.exp2(shift.clip(max=30)) * rng.uniform(0.1, 1, size=outputs)
    weights["residual_multiplier"] = Constant.of(factors.astype(np.int64), "int64")
    return Part("conv", [x, residual], out, attributes, weights)


def linear(tensors: Tensors, *, accumulates: bool = False, source: TensorType | None = None) -> Part | None:
    """Of any (B, C)."""
    rng, x = tensors.rng, source or tensors.any(lambda tensor: len(tensor.shape) == 2)
    if x is None:
        return None
    outputs = int(rng.integers(1, 12))
    weights, largest = weights_for_test(rng, (outputs, x.shape[1]), bits=x.bits)
    if accumulates:
        return Part("linear", [x], "int32", {}, weights)
    out = _dtype(rng)
    return Part("linear", [x], out, random_bounds(rng, out), weights | _rescales(rng, out, largest, outputs))


def _rescales(rng: np.random.Generator, out: DType, largest: float, outputs: int) -> dict[str, Constant]:
    multiplier, shift = random_rescale(rng, np.iinfo(out).max / largest * 4, outputs)
    return {"multiplier": Constant.of(multiplier, "int16"), "shift": Constant.of(shift, "int8")}


def add(tensors: Tensors) -> Part | None:
    """Two or three of one shape, perhaps one of them twice."""
    rng, first = tensors.rng, tensors.any(lambda tensor: True)
    assert first is not None
    others = [tensors.any(lambda tensor: tensor.shape == first.shape) for _ in range(rng.integers(1, 3))]
    inputs = [first, *(other for other in others if other is not None)]
    out = _dtype(rng)
    top = np.iinfo(out).max
    ratios = [top / _largest(x) * float(2 ** rng.uniform(-4, 1)) / len(inputs) for x in inputs]
    multipliers, shift = common_multipliers(ratios)
    attributes: dict[str, Attribute] = {"multipliers": tuple(multipliers.tolist()), "shift": shift}
    return Part("add", inputs, out, {**attributes, **random_bounds(rng, out)})


def multiply(tensors: Tensors) -> Part | None:
    """A map and a gate, or two maps."""
    x = tensors.any(is_map)
    if x is None:
        return None
    gate = tensors.any(lambda tensor: tensor.shape in (x.shape, (*x.shape[:2], 1, 1)))
    assert gate is not None
    return _rescaled(tensors.rng, "multiply", [x, gate], _largest(x) * _largest(gate) / 4)


def concat(tensors: Tensors) -> Part | None:
    """One to three maps of one size; some codes move unchanged."""
    rng, first = tensors.rng, tensors.any(is_map)
    if first is None:
        return None
    inputs, rest = [first], (first.shape[0], *first.shape[2:])
    for _ in range(rng.integers(3)):
        room = MAX_CHANNELS - sum(tensor.shape[1] for tensor in inputs)
        other = tensors.any(
            lambda x: is_map(x) and (x.shape[0], *x.shape[2:]) == rest and x.shape[1] <= room  # noqa: B023
        )
        inputs += [other] if other is not None else []
    out = _dtype(rng)
    pairs = [
        (2**14, 14)
        if x.dtype == out and rng.integers(2)
        else random_rescale(rng, np.iinfo(out).max / _largest(x))
        for x in inputs
    ]
    attributes: dict[str, Attribute] = {
        "multipliers": tuple(int(m) for m, _ in pairs),
        "shifts": tuple(int(k) for _, k in pairs),
    }
    return Part("concat", inputs, out, {**attributes, **random_bounds(rng, out)})


def lookup(tensors: Tensors) -> Part | None:
    """A table without order."""
    rng, x = tensors.rng, tensors.any(lambda tensor: True)
    assert x is not None
    out = _dtype(rng)
    bounds = random_bounds(rng, out)
    size = 256 if x.dtype == "int8" else 1025
    table = rng.integers(bounds["lo"], bounds["hi"], size=size, endpoint=True)
    return Part("lookup", [x], out, bounds, {"table": Constant.of(table, out)})


def view_sum(tensors: Tensors) -> Part | None:
    """Over all views; of one view it is a rescale."""
    x = tensors.any(lambda tensor: is_map(tensor) and tensor.shape[0] > 1) or tensors.any(is_map)
    if x is None:
        return None
    views = x.shape[0]
    return _rescaled(tensors.rng, "view_sum", [x], _largest(x) * views**0.5, {"num_views": views})


def avg_pool(tensors: Tensors) -> Part | None:
    """Any window, or the whole map."""
    rng, x = tensors.rng, tensors.any(is_map)
    if x is None:
        return None
    height, width = x.shape[2:]
    kernel = (height, width)
    if rng.integers(2):
        kernel = (int(rng.integers(1, min(4, height) + 1)), int(rng.integers(1, min(4, width) + 1)))
    window: dict[str, Attribute] = {"kernel": kernel, "stride": pair(rng, 1, 3)}
    return _rescaled(rng, "avg_pool", [x], _largest(x) * prod(kernel) ** 0.5, window)


def resize_bilinear(tensors: Tensors) -> Part | None:
    """To any size."""
    rng, x = tensors.rng, tensors.any(is_map)
    size: dict[str, Attribute] = {"size": pair(rng, 1, MAX_SIDE)}
    return None if x is None else _rescaled(rng, "resize_bilinear", [x], _largest(x) * 2**16, size)


def grid_sample(tensors: Tensors) -> Part | None:
    """At constant points near the map, or those of the graph's input."""
    rng, x = tensors.rng, tensors.any(is_map)
    if x is None:
        return None
    points = tensors.points(x.shape[0]) if rng.integers(3) else None
    bits = int(rng.integers(0, 9))
    if points is not None:
        return _rescaled(rng, "grid_sample", [x, points], _largest(x) * 4**bits, {"fraction_bits": bits})
    shape: Shape = (1, *pair(rng, 1, MAX_SIDE), 2)
    codes = rng.integers(-1 << bits, (max(x.shape[2:]) + 1) << bits, size=shape)
    if rng.integers(4) == 0:
        codes = random_codes(rng, "int16", shape)
    constant = {"points": Constant.of(codes, "int16")}
    return _rescaled(rng, "grid_sample", [x], _largest(x) * 4**bits, {"fraction_bits": bits}, constant)


def _rescaled(
    rng: np.random.Generator,
    op: str,
    inputs: Sequence[TensorType],
    largest: float,
    attributes: Mapping[str, Attribute] | None = None,
    constants: Mapping[str, Constant] | None = None,
) -> Part:
    out = _dtype(rng)
    rescale = OneRescale.random_format(rng, largest, out)
    return Part(op, inputs, out, {**(attributes or {}), **rescale}, constants or {})


DRAWS: Mapping[str, Draw] = {
    **{"conv": conv, "linear": linear, "add": add, "multiply": multiply, "concat": concat},
    **{"lookup": lookup, "view_sum": view_sum, "avg_pool": avg_pool, "max_pool": max_pool},
    **{"resize_bilinear": resize_bilinear, "resize_nearest": resize_nearest, "grid_sample": grid_sample},
    **{"slice": slice_, "reshape": reshape, "transpose": transpose, "flip": flip},
}
"""By operation: a node for some of the tensors, None where none of them fits."""
