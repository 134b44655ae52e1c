"""One node of a float network as a node of a fixed-point graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from runtime.bpu.estimate.float_graph import FloatNode
from runtime.bpu.estimate.fold_constants import varies_along
from runtime.bpu.estimate.map_shape import map_shape
from runtime.bpu.estimate.placeholder_graph import SHIFT, NoForm, PlaceholderGraph, weights
from runtime.bpu.operation import Shape
from runtime.hbir.graph import Attribute
from runtime.hbir.tensor_type import Constant, DType

_FRACTION_BITS = 4
_RESIZES = {1: "resize_nearest", 4: "resize_bilinear"}


def append_node(graph: PlaceholderGraph, node: FloatNode, *, is_accumulator: bool) -> None:
    """Adds a node of a folded float network to a graph that has its inputs.

    Args:
        graph: to add to.
        node: what is added, as several nodes if need be.
        is_accumulator: its result leaves as int32, if it has weights.

    Raises:
        NoForm: no operation of HBIR does what it does.
    """
    if node.kind == "unknown":
        raise NoForm(node.reason or "nothing is known of it")
    if node.kind in ("conv", "linear"):
        (_conv if node.kind == "conv" else _linear)(graph, node, is_accumulator)
        return
    make = _MAKERS.get(node.kind)
    if make is None:
        raise NoForm("HBIR has no such operation")
    make(graph, node)


def _conv(graph: PlaceholderGraph, node: FloatNode, is_accumulator: bool) -> None:
    if len(node.out_shape) != 4:
        raise NoForm(f"its tensors have {len(node.out_shape)} dimensions")
    shape = (node.out_shape[1], node.in_shapes[0][1] // node.groups, *node.kernel)
    window = _window(node, most=[size - 1 for size in _reach(node)])
    attributes = {"groups": node.groups, "dilation": node.dilation, **window}
    _weighted(graph, node, "conv", attributes, shape, is_accumulator and len(node.inputs) == 1)


def _linear(graph: PlaceholderGraph, node: FloatNode, is_accumulator: bool) -> None:
    """Of a map of one pixel it is a convolution, which takes the map as it is."""
    if len(node.out_shape) != 2:
        raise NoForm(f"its tensors have {len(node.out_shape)} dimensions")
    pixel = (*node.in_shapes[0], 1, 1)
    if graph.shape(node.inputs[0]) == pixel:
        _conv(graph, replace(node, in_shapes=(pixel,), out_shape=(*node.out_shape, 1, 1)), is_accumulator)
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
    _append(graph, node, op, attributes, constants, dtype=dtype)


def _conv_transpose(graph: PlaceholderGraph, node: FloatNode) -> None:
    """The map repeated, and a convolution with the part of the kernel that one pixel sees: as many products."""
    if len(node.out_shape) != 4:
        raise NoForm(f"its tensors have {len(node.out_shape)} dimensions")
    kernel = tuple(-(-size // step) for size, step in zip(node.kernel, node.stride, strict=True))
    padding = tuple((size - 1) // 2 for size in kernel)
    size = tuple(
        wanted + reach - 1 - 2 * pad
        for wanted, reach, pad in zip(node.out_shape[2:], kernel, padding, strict=True)
    )
    larger, shape = f"{node.output}.larger", (*node.in_shapes[0][:2], *size)
    graph.append("resize_nearest", node.inputs, larger, shape, {"size": size}, name=larger)
    window = replace(node, stride=(1, 1), dilation=(1, 1), kernel=kernel[:2], padding=padding[:2])
    _conv(graph, replace(window, inputs=(larger,), in_shapes=(shape,)), False)


def _scale(graph: PlaceholderGraph, node: FloatNode) -> None:
    """Scale and shift of channels that no convolution took: a depthwise one of 1x1; of a number: a table."""
    axes = varies_along(node.constant, node.out_shape)
    if node.kind != "batch_norm" and not axes:
        _lookup(graph, node)
    elif len(node.out_shape) == 4 and (node.kind == "batch_norm" or axes == (1,)):
        _conv(graph, replace(node, kernel=(1, 1), groups=node.out_shape[1]), False)
    else:
        raise NoForm(f"HBIR has no sum or product of a map and a constant of {node.constant}")


def _lookup(graph: PlaceholderGraph, node: FloatNode) -> None:
    _append(graph, node, "lookup", constants={"table": Constant.of(np.arange(-128, 128), "int8")})


def _add(graph: PlaceholderGraph, node: FloatNode) -> None:
    _append(graph, node, "add", {"multipliers": (2**14,) * len(node.inputs), "shift": SHIFT})


def _multiply(graph: PlaceholderGraph, node: FloatNode) -> None:
    """The gate is the second."""
    order = sorted(range(len(node.inputs)), key=lambda position: node.in_shapes[position] != node.out_shape)
    swapped = replace(
        node,
        inputs=tuple(node.inputs[position] for position in order),
        in_shapes=tuple(node.in_shapes[position] for position in order),
    )
    _append(graph, swapped, "multiply")


def _concat(graph: PlaceholderGraph, node: FloatNode) -> None:
    if node.axes != (1,) or len(node.out_shape) != 4:
        raise NoForm(f"HBIR joins the channels of maps, not axis {node.axes} of {node.out_shape}")
    count = len(node.inputs)
    _append(graph, node, "concat", {"multipliers": (2**14,) * count, "shifts": (SHIFT,) * count})


def _pool(graph: PlaceholderGraph, node: FloatNode) -> None:
    is_max = node.kind == "max_pool"
    window = _window(node, most=[size // 2 if is_max else 0 for size in node.kernel])
    if not is_max:
        del window["padding"]
    _append(graph, node, node.kind, {"kernel": node.kernel, **window})


def _reduce(graph: PlaceholderGraph, node: FloatNode) -> None:
    """Means of whole maps, and sums over views."""
    source = node.in_shapes[0]
    if len(source) == 4 and set(node.axes) == {2, 3} and "mean" in node.source.lower():
        size = (source[2], source[3])
        pooled = replace(node, out_shape=(*source[:2], 1, 1))
        _append(graph, pooled, "avg_pool", {"kernel": size, "stride": size})
    elif len(source) == 5 and node.axes == (1,):
        _append(graph, node, "view_sum", {"num_views": source[1]})
    else:
        raise NoForm(f"HBIR does not reduce the axes {node.axes} of {source}")


def _resize(graph: PlaceholderGraph, node: FloatNode) -> None:
    if node.taps not in _RESIZES:
        raise NoForm(f"HBIR does not resize with {node.taps} pixels for each one")
    _append(graph, node, _RESIZES[node.taps], {"size": node.out_shape[2:]})


def _grid_sample(graph: PlaceholderGraph, node: FloatNode) -> None:
    if node.taps != 4:
        raise NoForm(f"HBIR samples bilinearly, not with {node.taps} pixels a point")
    _append(graph, node, "grid_sample", {"fraction_bits": _FRACTION_BITS})


def _slice(graph: PlaceholderGraph, node: FloatNode) -> None:
    """From the first value on: where it begins does not matter."""
    if not node.is_contiguous or len(node.axes) != 1:
        raise NoForm("HBIR takes neighbours along one axis")
    (axis,) = node.axes
    _append(graph, node, "slice", {"axis": axis, "start": 0, "stop": node.out_shape[axis]})


def _reshape(graph: PlaceholderGraph, node: FloatNode) -> None:
    _append(graph, node, "reshape", {"shape": map_shape(node.out_shape)[1:]})


def _transpose(graph: PlaceholderGraph, node: FloatNode) -> None:
    if not node.axes or len(node.axes) != len(map_shape(node.out_shape)):
        raise NoForm("HBIR has no such move")
    _append(graph, node, "transpose", {"order": node.axes})


def _flip(graph: PlaceholderGraph, node: FloatNode) -> None:
    _append(graph, node, "flip", {"axes": (len(map_shape(node.out_shape)) - 1,)})


def _append(
    graph: PlaceholderGraph,
    node: FloatNode,
    op: str,
    attributes: Mapping[str, Attribute] | None = None,
    constants: Mapping[str, Constant] | None = None,
    *,
    dtype: DType = "int8",
) -> None:
    inputs = [graph.reshaped(name, shape) for name, shape in zip(node.inputs, node.in_shapes, strict=True)]
    graph.append(
        op,
        inputs,
        node.output,
        node.out_shape,
        attributes or {},
        constants or {},
        name=node.name,
        dtype=dtype,
    )


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


_MAKERS: Mapping[str, Callable[[PlaceholderGraph, FloatNode], None]] = {
    "conv_transpose": _conv_transpose,
    "batch_norm": _scale,
    "add_constant": _scale,
    "multiply_constant": _scale,
    "clamp": _lookup,
    "pointwise": _lookup,
    "add": _add,
    "multiply": _multiply,
    "concat": _concat,
    "max_pool": _pool,
    "avg_pool": _pool,
    "reduce": _reduce,
    "resize": _resize,
    "grid_sample": _grid_sample,
    "slice": _slice,
    "reshape": _reshape,
    "transpose": _transpose,
    "flip": _flip,
}
