"""One node of a float network as a node of a fixed-point graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from runtime.bpu.estimate.as_graph.placeholder_graph import MULTIPLIER, SHIFT, NoForm, PlaceholderGraph, zeros
from runtime.bpu.estimate.as_graph.windows import (
    append_conv,
    append_conv_transpose,
    append_linear,
    append_pool,
)
from runtime.bpu.estimate.float_graph import FloatNode
from runtime.bpu.estimate.folding.constants import varies_along
from runtime.bpu.estimate.map_shape import map_shape
from runtime.hbir.tensor_type import Constant

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
        (append_conv if node.kind == "conv" else append_linear)(graph, node, is_accumulator)
        return
    make = _MAKERS.get(node.kind)
    if make is None:
        raise NoForm("HBIR has no such operation")
    make(graph, node)


def _scale(graph: PlaceholderGraph, node: FloatNode) -> None:
    """Scale and shift of channels that no convolution took: a depthwise one of 1x1; of a number: a table."""
    axes = varies_along(node.constant, node.out_shape)
    if node.kind != "batch_norm" and not axes:
        _lookup(graph, node)
    elif len(node.out_shape) == 4 and (node.kind == "batch_norm" or axes == (1,)):
        append_conv(graph, replace(node, kernel=(1, 1), groups=node.out_shape[1]), False)
    else:
        raise NoForm(f"HBIR has no sum or product of a map and a constant of {node.constant}")


def _lookup(graph: PlaceholderGraph, node: FloatNode) -> None:
    graph.append_node(node, "lookup", constants={"table": Constant.of(np.arange(-128, 128), "int8")})


def _add(graph: PlaceholderGraph, node: FloatNode) -> None:
    graph.append_node(node, "add", {"multipliers": (MULTIPLIER,) * len(node.inputs), "shift": SHIFT})


def _multiply(graph: PlaceholderGraph, node: FloatNode) -> None:
    """The gate is the second."""
    order = sorted(range(len(node.inputs)), key=lambda position: node.in_shapes[position] != node.out_shape)
    swapped = replace(
        node,
        inputs=tuple(node.inputs[position] for position in order),
        in_shapes=tuple(node.in_shapes[position] for position in order),
    )
    graph.append_node(swapped, "multiply")


def _concat(graph: PlaceholderGraph, node: FloatNode) -> None:
    if node.axes != (1,) or len(node.out_shape) != 4:
        raise NoForm(f"HBIR joins the channels of maps, not axis {node.axes} of {node.out_shape}")
    count = len(node.inputs)
    graph.append_node(node, "concat", {"multipliers": (MULTIPLIER,) * count, "shifts": (SHIFT,) * count})


def _reduce(graph: PlaceholderGraph, node: FloatNode) -> None:
    """Means of whole maps, and sums over views."""
    source = node.in_shapes[0]
    if len(source) == 4 and set(node.axes) == {2, 3} and "mean" in node.source.lower():
        size = (source[2], source[3])
        pooled = replace(node, out_shape=(*source[:2], 1, 1))
        graph.append_node(pooled, "avg_pool", {"kernel": size, "stride": size})
    elif len(source) == 5 and node.axes == (1,):
        graph.append_node(node, "view_sum", {"num_views": source[1]})
    else:
        raise NoForm(f"HBIR does not reduce the axes {node.axes} of {source}")


def _resize(graph: PlaceholderGraph, node: FloatNode) -> None:
    if node.taps not in _RESIZES:
        raise NoForm(f"HBIR does not resize with {node.taps} pixels for each one")
    graph.append_node(node, _RESIZES[node.taps], {"size": node.out_shape[2:]})


def _grid_sample(graph: PlaceholderGraph, node: FloatNode) -> None:
    if node.taps != 4:
        raise NoForm(f"HBIR samples bilinearly, not with {node.taps} pixels a point")
    fixed = {}
    if len(node.inputs) == 1:
        fixed = {"points": zeros((1, *node.in_shapes[1][1:]), "int16")}
        node = replace(node, in_shapes=node.in_shapes[:1])
    graph.append_node(node, "grid_sample", {"fraction_bits": _FRACTION_BITS}, fixed)


def _slice(graph: PlaceholderGraph, node: FloatNode) -> None:
    """From the first value on: where it begins does not matter."""
    if not node.is_contiguous or len(node.axes) != 1:
        raise NoForm("HBIR takes neighbours along one axis")
    (axis,) = node.axes
    graph.append_node(node, "slice", {"axis": axis, "start": 0, "stop": node.out_shape[axis]})


def _reshape(graph: PlaceholderGraph, node: FloatNode) -> None:
    graph.append_node(node, "reshape", {"shape": map_shape(node.out_shape)[1:]})


def _transpose(graph: PlaceholderGraph, node: FloatNode) -> None:
    if not node.axes or len(node.axes) != len(map_shape(node.out_shape)):
        raise NoForm("HBIR has no such move")
    graph.append_node(node, "transpose", {"order": node.axes})


def _flip(graph: PlaceholderGraph, node: FloatNode) -> None:
    graph.append_node(node, "flip", {"axes": (len(map_shape(node.out_shape)) - 1,)})


_MAKERS: Mapping[str, Callable[[PlaceholderGraph, FloatNode], None]] = {
    "conv_transpose": append_conv_transpose,
    "batch_norm": _scale,
    "add_constant": _scale,
    "multiply_constant": _scale,
    "clamp": _lookup,
    "pointwise": _lookup,
    "add": _add,
    "multiply": _multiply,
    "concat": _concat,
    "max_pool": append_pool,
    "avg_pool": append_pool,
    "reduce": _reduce,
    "resize": _resize,
    "grid_sample": _grid_sample,
    "slice": _slice,
    "reshape": _reshape,
    "transpose": _transpose,
    "flip": _flip,
}
