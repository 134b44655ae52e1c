"""Arithmetic on the sampling points that a network is given, which the host does once for each camera rig."""

from __future__ import annotations

from runtime.bpu.estimate.float_graph import FloatGraph, FloatNode

_ARITHMETIC = (
    *("add_constant", "multiply_constant", "clamp", "pointwise"),
    *("add", "multiply", "concat", "slice", "reshape", "transpose", "identity"),
)


def fold_points(graph: FloatGraph) -> FloatGraph:
    """Drops what makes points of `grid_sample` out of an input that nothing else reads."""
    producers, readers = graph.producers(), dict[str, list[FloatNode]]()
    for node in graph.nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    aliases: dict[str, str] = {}
    dropped: set[str] = set()
    for sampler in graph.nodes:
        if sampler.kind != "grid_sample" or len(sampler.inputs) < 2:
            continue
        points = sampler.inputs[1]
        chain = _chain(points, producers)
        sources = {name for node in chain for name in node.inputs} - {node.output for node in chain}
        inside = {node.output for node in chain}
        is_private = all(
            reader.output in inside or reader is sampler
            for name in (*inside, *sources)
            for reader in readers.get(name, [])
        )
        if chain and len(sources) == 1 and sources <= set(graph.inputs) and is_private:
            dropped |= inside
            aliases[points] = sources.pop()
    return graph.rewritten([node for node in graph.nodes if node.output not in dropped], aliases)


def _chain(name: str, producers: dict[str, FloatNode]) -> list[FloatNode]:
    """The nodes of arithmetic that a value is made by, back to what is none."""
    found: dict[str, FloatNode] = {}
    names = [name]
    while names:
        node = producers.get(names.pop())
        if node is not None and node.kind in _ARITHMETIC and node.output not in found:
            found[node.output] = node
            names += node.inputs
    return list(found.values())
