"""A float network as a fixed-point graph of its shapes, to be compiled for the time of its schedule."""

from __future__ import annotations

from runtime.bpu.estimate.as_graph.nodes import append_node
from runtime.bpu.estimate.as_graph.placeholder_graph import NoForm, PlaceholderGraph
from runtime.bpu.estimate.float_graph import FloatGraph
from runtime.bpu.estimate.lowering import folded
from runtime.bpu.estimate.network import grouped_left_out
from runtime.errors import RunError
from runtime.hbir.graph import Graph


def as_graph(graph: FloatGraph) -> Graph:
    """The graph that a network of int8 activations and weights has, with zeros for weights.

    Batch normalisation, ReLU and residuals are part of their convolutions as in `network_of`; `concat` and
    `slice` are nodes. What a result depends on beside shapes, such as where a slice begins, is made up; the
    padding of a window is the same on both sides.

    Raises:
        RunError: operations that HBIR has no form for, each by name; no result, or one that is an input.
    """
    graph = folded(graph)
    uses, points = graph.uses(), _points(graph)
    made = PlaceholderGraph()
    for name, shape in graph.inputs.items():
        grid = points.get(name)
        made.input(name, grid or shape, "int16" if grid else "int8")
    refused: list[tuple[str, str, str]] = []
    for node in graph.nodes:
        is_result = node.output in graph.outputs and uses[node.output] == 1
        try:
            append_node(made, node, is_accumulator=is_result and not node.clamps)
        except NoForm as reason:
            refused.append((node.source or node.kind, node.name or node.output, str(reason)))
            made.stand_in(node.output, node.out_shape)
    if refused:
        texts = [f"`{one.source}` at {_some(one.names)} ({one.reason})" for one in grouped_left_out(refused)]
        raise RunError(
            f"no fixed-point graph: {'; '.join(texts)}", hint="an estimate without a schedule takes it"
        )
    if not graph.outputs or set(graph.outputs) & set(graph.inputs):
        raise RunError("no fixed-point graph: the network has no result, or one of its inputs is one")
    return made.finish(graph.outputs)


def _points(graph: FloatGraph) -> dict[str, tuple[int, ...]]:
    """Inputs that are points of `grid_sample`, with the shape that it reads."""
    return {
        node.inputs[1]: node.in_shapes[1]
        for node in graph.nodes
        if node.kind == "grid_sample" and len(node.inputs) > 1 and node.inputs[1] in graph.inputs
    }


def _some(names: tuple[str, ...], most: int = 3) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
