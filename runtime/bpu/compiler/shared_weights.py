"""Layers whose weights outweigh their maps: all maps in one turn, for which the weights are loaded once."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.bpu.compiler.constants import LayerConstants
from runtime.hbir.graph import Graph, Node

_SMALL = 4
"""All maps of a layer that follows those with such weights take at most this part of the chip."""


def of_one_turn(graph: Graph, constants: Sequence[LayerConstants], capacity: int) -> frozenset[int]:
    """Positions of layers of several maps that had better compute them all at once.

    In turns a layer loads its weights anew for every map, unless they stay on the chip: none where all such
    weights are small beside it. All at once its maps may have to go through DDR instead.

    Args:
        constants: of each layer.
        capacity: bytes on the chip.
    """
    found: set[int] = set()
    makers: dict[str, int] = {}
    weights = 0
    for layer, (node, placed) in enumerate(zip(graph.nodes, constants, strict=True)):
        makers[node.output] = layer
        if graph.types[node.output].shape[0] == 1:
            continue
        maps = _bytes(graph, node)
        follows = {makers.get(name) for name in node.inputs} <= found and maps * _SMALL <= capacity
        if placed.size > maps or follows:
            found.add(layer)
            weights += placed.size
    return frozenset(found) if weights * _SMALL > capacity else frozenset()


def _bytes(graph: Graph, node: Node) -> int:
    """Of all maps that a layer reads and makes."""
    return sum(graph.types[name].bytes for name in (*node.inputs, node.output))
