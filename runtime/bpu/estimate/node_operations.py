"""One node of a float network as operations of the hardware model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from runtime.bpu.estimate import compositions
from runtime.bpu.estimate.float_graph import FloatNode
from runtime.bpu.estimate.folding.constants import varies_along
from runtime.bpu.estimate.map_shape import image_shape, layer_shape, map_shape
from runtime.bpu.operation import Operation


def is_addressing(node: FloatNode) -> bool:
    """Whether a node only says where its values lie."""
    if node.kind == "concat":
        return True
    # Whole channels, samples or, without a map behind them, tokens.
    return node.kind == "slice" and node.is_contiguous and bool(node.axes) and max(node.axes) <= 1


def operations_of_node(node: FloatNode) -> tuple[list[Operation], str] | str:
    """Operations and what was assumed, or why there are none."""
    if node.kind in _COMPOSED:
        return _COMPOSED[node.kind](node)
    if node.kind == "unknown":
        return node.reason or "nothing is known of its cost"
    if is_addressing(node):
        return [], ""
    return [_PLAIN[node.kind](node)], ""


def _conv(node: FloatNode) -> Operation:
    shapes = tuple(image_shape(shape) for shape in node.in_shapes)
    return _window(node, "conv", groups=node.groups, shapes=shapes)


def _pool(node: FloatNode) -> Operation:
    return _window(node, node.kind, groups=1, shapes=(image_shape(node.in_shapes[0]),))


def _window(node: FloatNode, op: str, *, groups: int, shapes: tuple[tuple[int, ...], ...]) -> Operation:
    return Operation(
        op=op,
        in_shapes=shapes,
        out_shape=image_shape(node.out_shape),
        kernel=node.kernel,
        stride=node.stride,
        dilation=node.dilation,
        padding=node.padding,
        groups=groups,
        name=node.name,
    )


def _linear(node: FloatNode) -> Operation:
    source, out = layer_shape(node.in_shapes[0]), layer_shape(node.out_shape)
    return Operation(
        op="linear" if len(source) == 2 else "conv", in_shapes=(source,), out_shape=out, name=node.name
    )


def _scale(node: FloatNode) -> Operation:
    """Scale and shift of channels that no convolution took: a depthwise one of 1x1, or a sum or product."""
    axes = varies_along(node.constant, node.out_shape)
    if len(node.out_shape) == 4 and (node.kind == "batch_norm" or axes == (1,)):
        shape = node.out_shape
        return Operation(op="conv", in_shapes=(shape,), out_shape=shape, groups=shape[1], name=node.name)
    if not axes and node.kind != "batch_norm":
        return _elementwise(node, "lookup")
    constant = node.constant if math.prod(node.constant) > 1 else (1, 1)
    shapes = (map_shape(node.in_shapes[0]), map_shape(constant))
    op = "add" if node.kind == "add_constant" else "multiply"
    return Operation(op=op, in_shapes=shapes, out_shape=map_shape(node.out_shape), name=node.name)


def _resize(node: FloatNode) -> Operation:
    return Operation(
        op="resize",
        in_shapes=(image_shape(node.in_shapes[0]),),
        out_shape=image_shape(node.out_shape),
        taps=node.taps,
        name=node.name,
    )


def _grid_sample(node: FloatNode) -> Operation:
    return Operation(
        op="grid_sample", in_shapes=node.in_shapes, out_shape=node.out_shape, taps=node.taps, name=node.name
    )


def _reduce(node: FloatNode) -> tuple[list[Operation], str]:
    source = node.in_shapes[0]
    if len(source) == 4 and set(node.axes) == {2, 3} and "mean" in node.source.lower():
        size = (source[2], source[3])
        out = (*source[:2], 1, 1)
        pool = Operation(
            op="avg_pool", in_shapes=(source,), out_shape=out, kernel=size, stride=size, name=node.name
        )
        return [pool], ""
    operation = Operation(
        op="view_sum", in_shapes=(map_shape(source),), out_shape=map_shape(node.out_shape), name=node.name
    )
    is_view_sum = len(source) == 5 and set(node.axes) == {1}
    return [operation], "" if is_view_sum else "a sum over views of as many values"


def _move(node: FloatNode) -> Operation:
    return _elementwise(node, node.kind)


def _pad(node: FloatNode) -> tuple[list[Operation], str]:
    return [_elementwise(node, "slice")], "a move of its result, as `slice`"


def _elementwise(node: FloatNode, op: str) -> Operation:
    return Operation(
        op=op,
        in_shapes=tuple(map_shape(shape) for shape in node.in_shapes),
        out_shape=map_shape(node.out_shape),
        name=node.name,
    )


def _matmul(node: FloatNode) -> tuple[list[Operation], str]:
    return compositions.matrix_product(node.name, node.in_shapes[0], node.in_shapes[1], node.out_shape)


_PLAIN: Mapping[str, Callable[[FloatNode], Operation]] = {
    "conv": _conv,
    "linear": _linear,
    "max_pool": _pool,
    "avg_pool": _pool,
    "batch_norm": _scale,
    "add_constant": _scale,
    "multiply_constant": _scale,
    "clamp": lambda node: _elementwise(node, "lookup"),
    "pointwise": lambda node: _elementwise(node, "lookup"),
    "add": _move,
    "multiply": _move,
    "resize": _resize,
    "grid_sample": _grid_sample,
    "slice": _move,
    "reshape": _move,
    "transpose": _move,
    "flip": _move,
}
_COMPOSED: Mapping[str, Callable[[FloatNode], tuple[list[Operation], str]]] = {
    "conv_transpose": compositions.transposed_convolution,
    "matmul": _matmul,
    "attention": compositions.attention,
    "softmax": compositions.softmax,
    "normalise": compositions.normalisation,
    "divide": compositions.division,
    "reduce": _reduce,
    "pad": _pad,
}
