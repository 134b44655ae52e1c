"""The nodes of a fixed-point graph as the hardware model describes them."""

from __future__ import annotations

from runtime.bpu.operation import Operation
from runtime.hbir.graph import Graph, Node

_RESIZES = {"resize_bilinear": 4, "resize_nearest": 1}
"""Values that each resize reads for one that it writes."""


def operations_of_graph(graph: Graph) -> list[Operation]:
    """Every node, in order, for one sample."""
    return [operation_of(graph, node) for node in graph.nodes]


def operation_name(op: str) -> str:
    """How the hardware model calls an operation of the graph: both resizes are one."""
    return "resize" if op in _RESIZES else op


def operation_of(graph: Graph, node: Node) -> Operation:
    """One node of a graph, for one sample; a constant grid counts as its second input."""
    inputs = graph.input_types(node)
    made = graph.types[node.output]
    shapes = [tensor.shape for tensor in inputs]
    kernel, stride, dilation, padding, groups = (1, 1), (1, 1), (1, 1), (0, 0), 1
    if node.op == "conv":
        height, width = node.constants["weight"].shape[2:]
        kernel, stride, dilation = (height, width), node.pair("stride"), node.pair("dilation")
        padding, groups = node.pair("padding"), node.integer("groups")
    elif node.op in ("max_pool", "avg_pool"):
        kernel, stride = node.pair("kernel"), node.pair("stride")
        padding = node.pair("padding") if node.op == "max_pool" else padding
    elif node.op == "grid_sample" and "points" in node.constants:
        shapes.append((shapes[0][0], *node.constants["points"].shape[1:]))
    sampled = inputs[:1] if node.op == "grid_sample" else inputs
    return Operation(
        op=operation_name(node.op),
        in_shapes=tuple(shapes),
        out_shape=made.shape,
        kernel=kernel,
        stride=stride,
        dilation=dilation,
        padding=padding,
        groups=groups,
        taps=_RESIZES.get(node.op, 4),
        in_bits=max(tensor.bits for tensor in sampled),
        out_bits=made.bits,
        reads_ddr=any(tensor in graph.inputs for tensor in inputs),
        writes_ddr=made.name in graph.outputs,
        name=node.name,
    )
