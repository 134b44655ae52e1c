"""Nodes that the hardware model has no operation for, out of operations that it has.

Each function gives operations in their order and the words that a report says about it.
"""

from __future__ import annotations

import math

from runtime.bpu.estimate.float_graph import FloatNode
from runtime.bpu.estimate.map_shape import map_shape
from runtime.bpu.operation import Operation, Shape

Composition = tuple[list[Operation], str]


def transposed_convolution(node: FloatNode) -> Composition:
    """`stride` interleaved convolutions, one for each phase of the output pixels."""
    source, out = map_shape(node.in_shapes[0]), map_shape(node.out_shape)
    phases = math.prod(node.stride)
    kernel = (-(-node.kernel[0] // node.stride[0]), -(-node.kernel[1] // node.stride[1]))
    operation = Operation(
        op="conv",
        in_shapes=(source,),
        out_shape=(out[0], out[1] * phases, *source[2:]),
        kernel=kernel,
        dilation=node.dilation,
        groups=node.groups,
        name=node.name,
    )
    return [operation], "a convolution of the smaller map with an output channel for each phase of the stride"


def matrix_product(name: str, first: Shape, second: Shape, product: Shape) -> Composition:
    """A 1x1 convolution of the rows of all factors behind each other.

    Args:
        name: of the operation.
        first: (count, rows, inner).
        second: (count, inner, columns).
        product: (count, rows, columns).
    """
    count, rows, inner = first
    operation = Operation(
        op="conv",
        in_shapes=((1, inner, count * rows, 1), (1, math.prod(second), 1, 1)),
        out_shape=(1, product[2], count * rows, 1),
        name=name,
    )
    return [operation], "a 1x1 convolution whose weights are the other factor"


def softmax(node: FloatNode, *, name: str | None = None, shape: Shape | None = None) -> Composition:
    """Maximum, difference, table of exp, sum, table of 1 / x, product."""
    whole = node.in_shapes[0] if shape is None else shape
    axes = node.axes if shape is None else (len(whole) - 1,)
    steps = _Steps(whole, axes, node.name if name is None else name)
    steps.reduce("max")
    steps.with_rows("add", "subtract")
    steps.whole("lookup", "exp")
    steps.reduce("sum")
    steps.rows("lookup", "reciprocal")
    steps.with_rows("multiply", "scale")
    return steps.operations, "maximum, difference, exp table, sum, reciprocal table and product"


def normalisation(node: FloatNode) -> Composition:
    """Mean, difference, table of squares, mean, table of 1 / sqrt(x), product, and scale and shift."""
    steps = _Steps(node.in_shapes[0], node.axes, node.name)
    steps.reduce("mean")
    steps.with_rows("add", "centre")
    steps.whole("lookup", "square")
    steps.reduce("variance")
    steps.rows("lookup", "rsqrt")
    steps.with_rows("multiply", "scale")
    words = "mean, difference, table of squares, mean, rsqrt table and product"
    if not node.constants:
        return steps.operations, words
    steps.whole("multiply", "weight")
    steps.whole("add", "bias")
    return steps.operations, f"{words}, then weight and bias"


def attention(node: FloatNode) -> Composition:
    """Products of queries and keys, softmax, product with the values (Vaswani et al. 2017)."""
    query, key, value = node.in_shapes[:3]
    count, (rows, inner), columns = math.prod(query[:-2]), query[-2:], key[-2]
    scores = (count, rows, columns)
    first, _ = matrix_product(f"{node.name}.scores", (count, rows, inner), (count, inner, columns), scores)
    weights, _ = softmax(node, name=f"{node.name}.softmax", shape=scores)
    made = (count, rows, value[-1])
    last, _ = matrix_product(f"{node.name}.values", scores, (count, columns, value[-1]), made)
    return [*first, *weights, *last], "two matrix products as 1x1 convolutions, and a softmax between them"


def division(node: FloatNode) -> Composition:
    """A table of 1 / x, and a product."""
    by = map_shape(node.in_shapes[1])
    operations = [
        Operation(op="lookup", in_shapes=(by,), out_shape=by, name=f"{node.name}.reciprocal"),
        Operation(
            op="multiply",
            in_shapes=(map_shape(node.in_shapes[0]), by),
            out_shape=map_shape(node.out_shape),
            name=node.name,
        ),
    ]
    return operations, "a reciprocal table and a product"


class _Steps:
    """Operations on a tensor and on what is left of it when some axes are reduced to one."""

    def __init__(self, shape: Shape, axes: tuple[int, ...], name: str) -> None:
        self._name = name
        self._whole = map_shape(shape)
        self._rows = map_shape(tuple(1 if axis in axes else size for axis, size in enumerate(shape)))
        self.operations: list[Operation] = []

    def reduce(self, step: str) -> None:
        self._append("view_sum", (self._whole,), self._rows, step)

    def with_rows(self, op: str, step: str) -> None:
        self._append(op, (self._whole, self._rows), self._whole, step)

    def whole(self, op: str, step: str) -> None:
        self._append(op, (self._whole,), self._whole, step)

    def rows(self, op: str, step: str) -> None:
        self._append(op, (self._rows,), self._rows, step)

    def _append(self, op: str, inputs: tuple[Shape, ...], out: Shape, step: str) -> None:
        self.operations.append(Operation(op=op, in_shapes=inputs, out_shape=out, name=f"{self._name}.{step}"))
