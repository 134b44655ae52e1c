"""Layers with a window, and linear ones, as nodes of a fixed-point graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from runtime.bpu.estimate.as_graph.placeholder_graph import NoForm, PlaceholderGraph, weights
from runtime.bpu.estimate.float_graph import FloatNode
from runtime.bpu.operation import Shape
from runtime.hbir.graph import Attribute
from runtime.hbir.tensor_type import DType


def append_conv(graph: PlaceholderGraph, node: FloatNode, is_accumulator: bool) -> None:
    """A convolution; its residual is a second input."""
    if len(node.out_shape) != 4:
        raise NoForm(f"its tensors have {len(node.out_shape)} dimensions")
    shape = (node.out_shape[1], node.in_shapes[0][1] // node.groups, *node.kernel)
    window = _window(node, most=[size - 1 for size in _reach(node)])
    attributes = {"groups": node.groups, "dilation": node.dilation, **window}
    _weighted(graph, node, "conv", attributes, shape, is_accumulator and len(node.inputs) == 1)


def append_linear(graph: PlaceholderGraph, node: FloatNode, is_accumulator: bool) -> None:
    """Of a map of one pixel it is a convolution, which takes the map as it is."""
    if len(node.out_shape) != 2:
        raise NoForm(f"its tensors have {len(node.out_shape)} dimensions")
    pixel = (*node.in_shapes[0], 1, 1)
    if graph.shape(node.inputs[0]) == pixel:
        append_conv(
            graph, replace(node, in_shapes=(pixel,), out_shape=(*node.out_shape, 1, 1)), is_accumulator
        )
    else:
        _weighted(graph, node, "linear", {}, (node.out_shape[1], node.in_shapes[0][1]), is_accumulator)


def _weighted(
    graph: PlaceholderGraph,
    node: FloatNode,
    op: str,
    attributes: Mapping[str, Attribute],
    shape: Shape,
    is_accumulator: bool,
) -> None:
    dtype: DType = "int32" if is_accumulator else "int8"
    constants = weights(shape, is_rounded=not is_accumulator, is_residual=len(node.inputs) > 1)
    graph.append_node(node, op, attributes, constants, dtype=dtype)


def append_conv_transpose(graph: PlaceholderGraph, node: FloatNode) -> None:
    """The map enlarged, and a convolution with what one pixel sees of the kernel: as many products."""
    if len(node.out_shape) != 4:
        raise NoForm(f"its tensors have {len(node.out_shape)} dimensions")
    down, across = (-(-size // step) for size, step in zip(node.kernel, node.stride, strict=True))
    padding = (down - 1) // 2, (across - 1) // 2
    height, width = node.out_shape[2:]
    size = (height + down - 1 - 2 * padding[0], width + across - 1 - 2 * padding[1])
    larger, shape = f"{node.output}.larger", (*node.in_shapes[0][:2], *size)
    graph.append("resize_nearest", node.inputs, larger, shape, {"size": size}, name=larger)
    window = replace(node, stride=(1, 1), dilation=(1, 1), kernel=(down, across), padding=padding)
    append_conv(graph, replace(window, inputs=(larger,), in_shapes=(shape,)), False)


def append_pool(graph: PlaceholderGraph, node: FloatNode) -> None:
    """Maxima with padding, averages without."""
    is_max = node.kind == "max_pool"
    window = _window(node, most=[size // 2 if is_max else 0 for size in node.kernel])
    if not is_max:
        del window["padding"]
    graph.append_node(node, node.kind, {"kernel": node.kernel, **window})


def _reach(node: FloatNode) -> Iterator[int]:
    """Pixels that a window covers, down and across."""
    for size, spread in zip(node.kernel, node.dilation, strict=True):
        yield spread * (size - 1) + 1


def _window(node: FloatNode, *, most: list[int]) -> dict[str, Attribute]:
    """Stride and padding, both sides alike: the one nearest to the node's that gives as many pixels.

    Args:
        most: padding that is allowed, down and across.
    """
    if len(node.out_shape) != 4:
        raise NoForm(f"its tensors have {len(node.out_shape)} dimensions")
    found = []
    for axis, reach in enumerate(_reach(node)):
        pixels, wanted = node.in_shapes[0][2 + axis], node.out_shape[2 + axis]
        possible = [
            pad
            for pad in range(most[axis] + 1)
            if (pixels + 2 * pad - reach) // node.stride[axis] + 1 == wanted
        ]
        if not possible:
            raise NoForm(
                f"no padding of both sides alike, up to {most[axis]}, makes {wanted} of {pixels} pixels"
            )
        found.append(min(possible, key=lambda pad: abs(pad - node.padding[axis])))
    return {"stride": node.stride, "padding": (found[0], found[1])}
