"""Axes in another order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from runtime.hbir.graph import Attribute, Node
from runtime.hbir.ops.onnx_body import Body, listed
from runtime.hbir.ops.operation import Call, Case, Int64, Kernel, Operation, Types, need_inputs, refuse
from runtime.hbir.ops.single_node import case
from runtime.hbir.tensor_type import DType, Shape, TensorType

_DTYPES: list[DType] = ["int8", "int16"]


class Transpose(Operation):
    """`y` has the axes of `q` in another order; axis i of `y` is axis `order[i]` of `q`."""

    name = "transpose"
    lists = ("order",)

    def output(self, node: Node, inputs: Types) -> Shape:
        """See `Operation`."""
        need_inputs(node, inputs, 1, rank=None)
        shape, order = inputs[0].shape, node.integers("order")
        if sorted(order) != list(range(len(shape))) or order[0] != 0:
            raise refuse(node, f"orders the axes of {shape} as {order}")
        return tuple(shape[axis] for axis in order)

    def reference(self, node: Node, inputs: Sequence[Int64], types: Types) -> Int64:
        """See `Operation`."""
        return inputs[0].transpose(node.integers("order"))

    def kernel(self, node: Node, types: Types, device: torch.device) -> Kernel:
        """See `Operation`."""
        order = node.integers("order")
        return lambda x: x.permute(order)

    def call(self, node: Node, inputs: Types, output: TensorType) -> Call:
        """See `Operation`."""
        body = Body("x")
        body.result = body.op("Transpose", "x", perm=listed("order"))
        return Call("", body)

    def cases(self, rng: np.random.Generator) -> Iterator[Case]:
        """See `Operation`."""
        for dtype in _DTYPES:
            for order in ((0, 2, 3, 1), (0, 1, 3, 2)):
                attributes: dict[str, Attribute] = {"order": order}
                yield case(self, rng, [(dtype, (2, 4, 3, 5))], dtype, attributes)
