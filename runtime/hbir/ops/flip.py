"""Codes in reverse order along some axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from runtime.hbir.graph import Attribute, Node
from runtime.hbir.ops.onnx_body import Body
from runtime.hbir.ops.operation import Call, Case, Int64, Kernel, Operation, Types, need_inputs, refuse
from runtime.hbir.ops.single_node import case
from runtime.hbir.tensor_type import DType, Shape, TensorType

_DTYPES: list[DType] = ["int8", "int16"]


class Flip(Operation):
    """`y` holds the codes of `q` in reverse along some axes."""

    name = "flip"
    lists = ("axes",)

    def output(self, node: Node, inputs: Types) -> Shape:
        """See `Operation`."""
        need_inputs(node, inputs, 1, rank=None)
        shape, axes = inputs[0].shape, node.integers("axes")
        if not axes or len(set(axes)) < len(axes) or not all(1 <= axis < len(shape) for axis in axes):
            raise refuse(node, f"flips the axes {axes} of {shape}")
        return shape

    def reference(self, node: Node, inputs: Sequence[Int64], types: Types) -> Int64:
        """See `Operation`."""
        return np.flip(inputs[0], node.integers("axes"))

    def kernel(self, node: Node, types: Types, device: torch.device) -> Kernel:
        """See `Operation`."""
        axes = node.integers("axes")
        return lambda x: x.flip(axes)

    def call(self, node: Node, inputs: Types, output: TensorType) -> Call:
        """See `Operation`."""
        count = len(node.integers("axes"))
        body = Body("x")
        minus = body.constant([-1] * count, np.int64)
        beyond = body.constant([-(2**62)] * count, np.int64)
        body.result = body.op("Slice", "x", minus, beyond, body.attributes("axes"), minus)
        return Call(str(count), body)

    def cases(self, rng: np.random.Generator) -> Iterator[Case]:
        """See `Operation`."""
        for dtype in _DTYPES:
            for axes in ((3,), (2, 3)):
                attributes: dict[str, Attribute] = {"axes": axes}
                yield case(self, rng, [(dtype, (2, 4, 3, 5))], dtype, attributes)
