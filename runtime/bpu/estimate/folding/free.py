"""What costs nothing: identities, and moves that only add, remove or swap dimensions of size one."""

from __future__ import annotations

from runtime.bpu.estimate.float_graph import FloatGraph, FloatNode
from runtime.bpu.operation import Shape


def fold_free(graph: FloatGraph) -> FloatGraph:
    """Drops them; who read their results reads what they read."""
    aliases = {node.output: node.inputs[0] for node in graph.nodes if _is_free(node)}
    return graph.rewritten([node for node in graph.nodes if node.output not in aliases], aliases)


def _is_free(node: FloatNode) -> bool:
    if node.kind == "identity":
        return True
    if node.kind == "reshape":
        return _without_ones(node.in_shapes[0]) == _without_ones(node.out_shape)
    if node.kind == "transpose" and node.axes:
        moved = [axis for axis in node.axes if node.in_shapes[0][axis] > 1]
        return moved == sorted(moved)
    return node.kind in ("concat", "slice") and node.in_shapes == (node.out_shape,)


def _without_ones(shape: Shape) -> Shape:
    return tuple(size for size in shape if size > 1)
