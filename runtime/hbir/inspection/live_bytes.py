"""How much memory the tensors of a graph take while its nodes run in their order."""

from __future__ import annotations

from runtime.hbir.graph import Graph


def peak_bytes(graph: Graph) -> int:
    """Bytes of all tensors that are alive at once, at the node where they are most.

    A tensor lives from the node that makes it, an input from the start, to the last node that reads it; what
    a node reads and what it makes are alive together. For one sample, without constants.
    """
    alive = sum(tensor.bytes for tensor in graph.inputs)
    peak = alive
    for position, (node, made) in enumerate(zip(graph.nodes, graph.tensors, strict=True)):
        alive += made.bytes
        peak = max(peak, alive)
        ended = {name for name in (*node.inputs, made.name) if graph.last_use.get(name, -1) <= position}
        alive -= sum(graph.types[name].bytes for name in ended)
    return peak
