"""Product of a map and a gate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from runtime.hbir.graph import Node
from runtime.hbir.ops.one_rescale import OneRescale
from runtime.hbir.ops.onnx_body import DOUBLE, Body
from runtime.hbir.ops.operation import Call, Case, Int64, Kernel, Types, code_bounds, need_inputs, refuse
from runtime.hbir.ops.single_node import case
from runtime.hbir.tensor_type import DType, Shape, TensorType
from runtime.quantization.arithmetic import multiply as arithmetic


class Multiply(OneRescale):
    """`y = clamp((q1 * q2 * m + 2^(k-1)) >> k, lo, hi)` of a map and a gate (B, C, 1, 1), or two maps."""

    name = "multiply"

    def output(self, node: Node, inputs: Types) -> Shape:
        """See `Operation`."""
        need_inputs(node, inputs, 2)
        self.check_rescale(node)
        x, gate = (tensor.shape for tensor in inputs)
        if gate != x and gate != (*x[:2], 1, 1):
            raise refuse(node, f"multiplies {x} and {gate}")
        return x

    def reference(self, node: Node, inputs: Sequence[Int64], types: Types) -> Int64:
        """See `Operation`."""
        (lo, hi), m, k = code_bounds(node), node.integer("multiplier"), node.integer("shift")
        return arithmetic.reference(inputs[0], inputs[1], m, k, lo=lo, hi=hi)

    def kernel(self, node: Node, types: Types, device: torch.device) -> Kernel:
        """See `Operation`."""
        (lo, hi), m, k = code_bounds(node), node.integer("multiplier"), node.integer("shift")
        return lambda x, gate: arithmetic.kernel(x, gate, m, k, lo=lo, hi=hi)

    def call(self, node: Node, inputs: Types, output: TensorType) -> Call:
        """See `Operation`."""
        body = Body("x", "gate")
        product = body.op("Mul", body.cast("x", DOUBLE), body.cast("gate", DOUBLE))
        body.finish(body.op("Mul", product, body.factor()))
        return Call("", body)

    def cases(self, rng: np.random.Generator) -> Iterator[Case]:
        """See `Operation`."""
        dtypes: list[DType] = ["int8", "int16"]
        for first in dtypes:
            for second in dtypes:
                for gate in ((2, 4, 1, 1), (2, 4, 3, 5)):
                    out = dtypes[rng.integers(2)]
                    largest = float(np.iinfo(first).max) * np.iinfo(second).max / 4
                    attributes = self.random_format(rng, largest, out)
                    yield case(self, rng, [(first, (2, 4, 3, 5)), (second, gate)], out, attributes)
