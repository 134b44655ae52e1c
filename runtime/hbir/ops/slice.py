"""A part of a map along one axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from runtime.hbir.graph import Attribute, Node
from runtime.hbir.ops.onnx_body import INT64, Body
from runtime.hbir.ops.operation import Call, Case, Int64, Kernel, Operation, Types, need_inputs, refuse
from runtime.hbir.ops.single_node import case
from runtime.hbir.tensor_type import DType, Shape, TensorType

_DTYPES: list[DType] = ["int8", "int16"]


class Slice(Operation):
    """`y = q[start:stop]` along one axis."""

    name = "slice"
    scalars = ("axis", "start", "stop")

    def output(self, node: Node, inputs: Types) -> Shape:
        """See `Operation`."""
        need_inputs(node, inputs, 1, rank=None)
        axis, start, stop = (node.integer(key) for key in self.scalars)
        shape = inputs[0].shape
        if not 1 <= axis < len(shape) or not 0 <= start < stop <= shape[axis]:
            raise refuse(node, f"takes {start} to {stop} along axis {axis} of {shape}")
        return (*shape[:axis], stop - start, *shape[axis + 1 :])

    def reference(self, node: Node, inputs: Sequence[Int64], types: Types) -> Int64:
        """See `Operation`."""
        axis, start, stop = (node.integer(key) for key in self.scalars)
        return np.take(inputs[0], np.arange(start, stop), axis=axis)

    def kernel(self, node: Node, types: Types, device: torch.device) -> Kernel:
        """See `Operation`."""
        axis, start, stop = (node.integer(key) for key in self.scalars)
        return lambda x: x.narrow(axis, start, stop - start)

    def call(self, node: Node, inputs: Types, output: TensorType) -> Call:
        """See `Operation`."""
        body = Body("x")
        zero = body.constant([0], np.int64)
        axis, start, stop = (
            body.op("Unsqueeze", body.attribute(key, to=INT64), zero) for key in ("axis", "start", "stop")
        )
        body.result = body.op("Slice", "x", start, stop, axis)
        return Call("", body)

    def cases(self, rng: np.random.Generator) -> Iterator[Case]:
        """See `Operation`."""
        for dtype in _DTYPES:
            for axis, start, stop in ((1, 0, 2), (1, 3, 4), (3, 1, 6)):
                attributes: dict[str, Attribute] = {"axis": axis, "start": start, "stop": stop}
                yield case(self, rng, [(dtype, (2, 4, 3, 6))], dtype, attributes)
