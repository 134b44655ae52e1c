"""Runs a graph with the numpy references: slow, and the definition of what a graph computes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from runtime.hbir.graph import Graph
from runtime.hbir.ops import OPERATIONS

Int64 = NDArray[np.int64]


class ReferenceExecutor:
    """A graph in int64, one node after the other.

    Args:
        graph: a valid one.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def __call__(self, inputs: Mapping[str, Int64]) -> dict[str, Int64]:
        """Codes of the inputs, for any number of samples, to those of the results, by name.

        Raises:
            RunError: inputs that do not fit the graph.
        """
        found = dict(self.tensors(inputs))
        return {name: found[name] for name in self.graph.outputs}

    def tensors(self, inputs: Mapping[str, Int64]) -> Iterator[tuple[str, Int64]]:
        """Name and codes of every tensor that a node makes, in order."""
        self.graph.samples({name: codes.shape for name, codes in inputs.items()})
        known = {name: codes.astype(np.int64) for name, codes in inputs.items()}
        for node in self.graph.nodes:
            operands = [known[name] for name in node.inputs]
            known[node.output] = OPERATIONS[node.op].reference(node, operands, self.graph.input_types(node))
            yield node.output, known[node.output]
