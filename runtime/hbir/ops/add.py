"""Sum of maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from runtime.hbir.graph import Attribute, Node
from runtime.hbir.ops.onnx_body import DOUBLE, INT64, Body, Reference
from runtime.hbir.ops.operation import (
    FORMAT,
    Call,
    Case,
    Int64,
    Kernel,
    Operation,
    Types,
    code_bounds,
    need_inputs,
    need_rescale,
    refuse,
)
from runtime.hbir.ops.single_node import case, random_bounds
from runtime.hbir.tensor_type import DType, Shape, TensorType
from runtime.quantization.arithmetic import add as arithmetic
from runtime.quantization.arithmetic.rescale import common_multipliers


class Add(Operation):
    """`y = clamp((q1 * m1 + q2 * m2 + ... + 2^(k-1)) >> k, lo, hi)` of two or more maps of one shape."""

    name = "add"
    scalars = (*FORMAT, "shift")
    lists = ("multipliers",)

    def output(self, node: Node, inputs: Types) -> Shape:
        """See `Operation`."""
        multipliers = node.integers("multipliers")
        need_inputs(node, inputs, max(2, len(multipliers)), rank=None)
        need_rescale(node, multipliers, [node.integer("shift")], sums=True)
        if len({tensor.shape for tensor in inputs}) > 1:
            raise refuse(node, f"adds maps of {[tensor.shape for tensor in inputs]}")
        return inputs[0].shape

    def reference(self, node: Node, inputs: Sequence[Int64], types: Types) -> Int64:
        """See `Operation`."""
        lo, hi = code_bounds(node)
        return arithmetic.reference(inputs, node.integers("multipliers"), node.integer("shift"), lo=lo, hi=hi)

    def kernel(self, node: Node, types: Types, device: torch.device) -> Kernel:
        """See `Operation`."""
        (lo, hi), bits = code_bounds(node), max(tensor.bits for tensor in types)
        multipliers, shift = node.integers("multipliers"), node.integer("shift")
        return lambda *maps: arithmetic.kernel(maps, multipliers, shift, bits=bits, lo=lo, hi=hi)

    def call(self, node: Node, inputs: Types, output: TensorType) -> Call:
        """See `Operation`."""
        body = Body(*(f"x{index}" for index in range(len(inputs))))
        multipliers = body.cast(body.attributes("multipliers"), DOUBLE)
        total = ""
        for index, name in enumerate(body.inputs):
            multiplier = body.op("Gather", multipliers, body.constant(index, np.int64), axis=0)
            term = body.op("Mul", body.cast(name, DOUBLE), multiplier)
            total = body.op("Add", total, term) if total else term
        power = body.power(body.cast(body.op("Constant", value_int=Reference("shift")), INT64))
        body.finish(body.op("Mul", total, power))
        return Call(str(len(inputs)), body)

    def cases(self, rng: np.random.Generator) -> Iterator[Case]:
        """See `Operation`."""
        dtypes: list[DType] = ["int8", "int16"]
        for count in (2, 3, 4):
            for out in dtypes:
                inputs = [(dtypes[rng.integers(2)], (1, 5, 4, 6)) for _ in range(count)]
                top = np.iinfo(out).max
                ratios = [
                    top / np.iinfo(dtype).max * float(2.0 ** rng.uniform(-4, 2)) / count
                    for dtype, _ in inputs
                ]
                multipliers, shift = common_multipliers(ratios)
                attributes: dict[str, Attribute] = {
                    "multipliers": tuple(multipliers.tolist()),
                    "shift": shift,
                }
                yield case(self, rng, inputs, out, {**attributes, **random_bounds(rng, out)})
