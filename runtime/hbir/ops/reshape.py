"""The same codes in another shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np
import torch

from runtime.hbir.graph import Attribute, Node
from runtime.hbir.ops.onnx_body import Body
from runtime.hbir.ops.operation import Call, Case, Int64, Kernel, Operation, Types, need_inputs, refuse
from runtime.hbir.ops.single_node import case
from runtime.hbir.tensor_type import DType, Shape, TensorType

_DTYPES: list[DType] = ["int8", "int16"]


class Reshape(Operation):
    """`y` holds the codes of `q` in the same order, in another shape behind the first axis."""

    name = "reshape"
    lists = ("shape",)

    def output(self, node: Node, inputs: Types) -> Shape:
        """See `Operation`."""
        need_inputs(node, inputs, 1, rank=None)
        old, new = inputs[0].shape, node.integers("shape")
        if any(size < 1 for size in new) or prod(new) != prod(old[1:]):
            raise refuse(node, f"puts {old} into (·, {', '.join(map(str, new))})")
        return (old[0], *new)

    def reference(self, node: Node, inputs: Sequence[Int64], types: Types) -> Int64:
        """See `Operation`."""
        return inputs[0].reshape(len(inputs[0]), *node.integers("shape"))

    def kernel(self, node: Node, types: Types, device: torch.device) -> Kernel:
        """See `Operation`."""
        shape = node.integers("shape")
        return lambda x: x.reshape(x.shape[0], *shape)

    def call(self, node: Node, inputs: Types, output: TensorType) -> Call:
        """See `Operation`."""
        body = Body("x")
        body.result = body.reshape("x", body.size("x", 0, 1), body.attributes("shape"))
        return Call("", body)

    def cases(self, rng: np.random.Generator) -> Iterator[Case]:
        """See `Operation`."""
        for dtype in _DTYPES:
            for shape in ((24,), (12, 2), (3, 2, 4, 1)):
                attributes: dict[str, Attribute] = {"shape": shape}
                yield case(self, rng, [(dtype, (3, 4, 3, 2))], dtype, attributes)
