"""Parts of a network that become one block each: layers that run in turns, one map a turn, or all at once.

A layer of several maps computes each by itself, except for sums over views. So layers of as many maps run in
turns: what they hand to each other needs room for one map only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from runtime.hbir.graph import Graph, Node
from runtime.hbir.tensor_type import TensorType


@dataclass(frozen=True)
class Section:
    """Layers of one block.

    Args:
        graph: of all layers.
        turns: how often they run for one sample.
        layers: positions in the graph, in the order in which they run.
    """

    graph: Graph
    turns: int
    layers: tuple[int, ...]

    def node(self, layer: int) -> Node:
        """The node of a layer."""
        return self.graph.nodes[layer]

    @cached_property
    def types(self) -> Mapping[str, TensorType]:
        """Every tensor that is read or made here, as large as it is in one turn."""
        names = dict.fromkeys(
            name for layer in self.layers for name in (*self.node(layer).inputs, self.node(layer).output)
        )
        return {name: self._of_a_turn(self.graph.types[name]) for name in names}

    @cached_property
    def makers(self) -> Mapping[str, int]:
        """The layer that makes each tensor that is made here."""
        return {self.node(layer).output: layer for layer in self.layers}

    @cached_property
    def readers(self) -> Mapping[str, tuple[int, ...]]:
        """The layers here that read each tensor."""
        found: dict[str, list[int]] = {name: [] for name in self.types}
        for layer in self.layers:
            for name in dict.fromkeys(self.node(layer).inputs):
                found[name].append(layer)
        return {name: tuple(layers) for name, layers in found.items()}

    @cached_property
    def leaving(self) -> frozenset[str]:
        """Tensors that are made here and that others need: results, and what other sections read."""
        here = set(self.layers)
        outside = {
            name for layer, node in enumerate(self.graph.nodes) if layer not in here for name in node.inputs
        }
        return frozenset(name for name in self.makers if name in outside or name in self.graph.outputs)

    def constants_name(self, layer: int) -> str:
        """What a buffer with a layer's constants is called; no tensor has a colon in its name."""
        return f"{self.node(layer).name}:constants"

    def inputs(self, layer: int) -> list[TensorType]:
        """What a layer reads in one turn."""
        return [self.types[name] for name in self.node(layer).inputs]

    def made(self, layer: int) -> TensorType:
        """What a layer makes in one turn."""
        return self.types[self.node(layer).output]

    def _of_a_turn(self, tensor: TensorType) -> TensorType:
        maps, *rest = tensor.shape
        return replace(tensor, shape=(maps // self.turns, *rest))


def sections_of(graph: Graph, at_once: frozenset[int] = frozenset()) -> Iterator[Section]:
    """All layers, those of as many turns together as far as their inputs allow, most turns first.

    Args:
        at_once: layers that compute all their maps in one turn.
    """
    ready_after = {tensor.name for tensor in graph.inputs}
    left = list(range(len(graph.nodes)))
    while left:
        turns = max(
            _turns(graph, layer, at_once) for layer in left if set(graph.nodes[layer].inputs) <= ready_after
        )
        taken = []
        for layer in left:
            node = graph.nodes[layer]
            if _turns(graph, layer, at_once) == turns and set(node.inputs) <= ready_after:
                taken.append(layer)
                ready_after.add(node.output)
        left = [layer for layer in left if layer not in set(taken)]
        yield Section(graph, turns, tuple(taken))


def _turns(graph: Graph, layer: int, at_once: frozenset[int]) -> int:
    """As many as there are maps; sums over views need all views at once."""
    node = graph.nodes[layer]
    return 1 if node.op == "view_sum" or layer in at_once else graph.types[node.output].shape[0]
