"""Resizing to the nearest pixel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from runtime.hbir.graph import Attribute, Node
from runtime.hbir.ops.onnx_body import Body
from runtime.hbir.ops.operation import Call, Case, Int64, Kernel, Operation, Types, need_inputs
from runtime.hbir.ops.resized import resized, sizes_for_test
from runtime.hbir.ops.single_node import case
from runtime.hbir.tensor_type import Constant, DType, Shape, TensorType
from runtime.quantization.arithmetic import resize as arithmetic


class ResizeNearest(Operation):
    """`y[i, j] = q[rows[i], columns[j]]`: codes move unchanged.

    The pixel is that of torch's `interpolate(mode="nearest")`: `floor(i * step)` in float32.
    """

    name = "resize_nearest"
    lists = ("size",)

    def output(self, node: Node, inputs: Types) -> Shape:
        """See `Operation`."""
        need_inputs(node, inputs, 1)
        return resized(node, inputs)

    def reference(self, node: Node, inputs: Sequence[Int64], types: Types) -> Int64:
        """See `Operation`."""
        return arithmetic.nearest_reference(inputs[0], node.pair("size"))

    def kernel(self, node: Node, types: Types, device: torch.device) -> Kernel:
        """See `Operation`."""
        size = node.pair("size")
        return lambda x: arithmetic.nearest(x, size)

    def call(self, node: Node, inputs: Types, output: TensorType) -> Call:
        """See `Operation`."""
        constants = {
            name: Constant.of(arithmetic.nearest_index(inputs[0].shape[axis], output.shape[axis]), "int32")
            for name, axis in (("rows", 2), ("columns", 3))
        }
        body = Body("x", *constants)
        body.result = body.op("Gather", body.op("Gather", "x", "rows", axis=2), "columns", axis=3)
        return Call("", body, constants=constants)

    def cases(self, rng: np.random.Generator) -> Iterator[Case]:
        """See `Operation`."""
        dtypes: list[DType] = ["int8", "int16"]
        for shape, size in sizes_for_test(rng):
            for dtype in dtypes:
                size_only: dict[str, Attribute] = {"size": size}
                yield case(self, rng, [(dtype, shape)], dtype, size_only)
