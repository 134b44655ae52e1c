"""Linear layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from runtime.hbir.graph import Node
from runtime.hbir.ops import weighted
from runtime.hbir.ops.onnx_body import DOUBLE, Body, Reference
from runtime.hbir.ops.operation import Call, Case, Int64, Kernel, Types, code_bounds, need_inputs, refuse
from runtime.hbir.ops.single_node import case, random_bounds, random_rescale
from runtime.hbir.tensor_type import Constant, DType, Shape, TensorType
from runtime.quantization.arithmetic import conv as arithmetic
from runtime.quantization.arithmetic import rescale


class Linear(weighted.Weighted):
    """`y = clamp(((sum x * w + b) * m + 2^(k-1)) >> k, lo, hi)` of (B, C).

    m and k are of the output feature. Without m the result is the int32 accumulator.
    """

    name = "linear"

    def output(self, node: Node, inputs: Types) -> Shape:
        """See `Operation`."""
        need_inputs(node, inputs, 1, rank=2)
        self.check_constants(node, inputs)
        weight = node.constants["weight"].shape
        if len(weight) != 2 or weight[1] != inputs[0].shape[1]:
            raise refuse(node, f"has weights {weight} for {inputs[0].shape[1]} features")
        return (inputs[0].shape[0], weight[0])

    def reference(self, node: Node, inputs: Sequence[Int64], types: Types) -> Int64:
        """See `Operation`."""
        acc = inputs[0] @ node.codes("weight").T + node.codes("bias")
        if self.makes_accumulators(node):
            return acc
        return rescale.reference(acc, node.codes("multiplier"), node.codes("shift"), *code_bounds(node))

    def kernel(self, node: Node, types: Types, device: torch.device) -> Kernel:
        """See `Operation`."""
        weight, bias = weighted.tensors(node, device)
        plan = arithmetic.plan(node.codes("weight"), bits=types[0].bits)
        if self.makes_accumulators(node):

            def accumulate(x: Tensor) -> Tensor:
                return arithmetic.accumulate_kernel(x[:, :, None, None], weight, bias, plan=plan).flatten(1)

            return accumulate
        factors, (lo, hi) = weighted.rescale(node, device), code_bounds(node)

        def rounded(x: Tensor) -> Tensor:
            pixel = x[:, :, None, None]
            return arithmetic.kernel(pixel, weight, bias, factors, plan=plan, lo=lo, hi=hi).flatten(1)

        return rounded

    def call(self, node: Node, inputs: Types, output: TensorType) -> Call:
        """See `Operation`."""
        digits = weighted.float32_digits(weighted.weight_sum(node.codes("weight")), inputs[0].bits)
        body = Body("x", *(key for key in self.constants if key in node.constants))
        acc = weighted.accumulate_in_onnx(body, "MatMul", digits, False)
        if self.makes_accumulators(node):
            body.result = body.cast(acc, Reference("to"))
            return Call(weighted.variant("acc", digits), body)
        factor = body.op("Mul", body.cast("multiplier", DOUBLE), body.power("shift"))
        body.finish(body.op("Mul", acc, factor))
        return Call(weighted.variant("", digits), body)

    def macs(self, node: Node, inputs: Types, output: TensorType) -> int:
        """See `Operation`."""
        return output.elements * inputs[0].shape[1]

    def cases(self, rng: np.random.Generator) -> Iterator[Case]:
        """See `Operation`."""
        dtypes: list[DType] = ["int8", "int16"]
        for dtype in dtypes:
            constants, largest = weighted.weights_for_test(rng, (5, 40), bits=np.iinfo(dtype).bits)
            yield case(self, rng, [(dtype, (1, 40))], "int32", {}, constants)
            out = dtypes[rng.integers(2)]
            multiplier, shift = random_rescale(rng, np.iinfo(out).max / largest * 4, 5)
            constants["multiplier"] = Constant.of(multiplier, "int16")
            constants["shift"] = Constant.of(shift, "int8")
            yield case(self, rng, [(dtype, (1, 40))], out, random_bounds(rng, out), constants)
