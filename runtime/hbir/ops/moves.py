"""Operations that move codes to other places: slice, reshape, transpose, flip.

The first axis, which counts maps, stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np
import torch

from runtime.hbir.graph import Attribute, Node
from runtime.hbir.ops.onnx_body import Body, listed
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
            body.op("Unsqueeze", body.attribute(key, to=7), zero) for key in ("axis", "start", "stop")
        )
        body.result = body.op("Slice", "x", start, stop, axis)
        return Call("", body)

    def cases(self, rng: np.random.Generator) -> Iterator[Case]:
        """See `Operation`."""
        for dtype in _DTYPES:
            for axis, start, stop in ((1, 0, 2), (1, 3, 4), (3, 1, 6)):
                attributes: dict[str, Attribute] = {"axis": axis, "start": start, "stop": stop}
                yield case(self, rng, [(dtype, (2, 4, 3, 6))], dtype, attributes)


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
