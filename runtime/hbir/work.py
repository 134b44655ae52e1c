"""What each node of a graph has to do for one sample: multiply-accumulates and bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runtime.hbir.graph import Graph, Node
from runtime.hbir.ops import OPERATIONS


@dataclass(frozen=True)
class Work:
    """Of one node and one sample.

    Args:
        node: which one.
        macs: multiply-accumulates, as if nothing were padded.
        read: bytes of the tensors that it reads.
        constants: bytes of its weights, tables and fixed points.
        written: bytes of the tensor that it makes.
    """

    node: Node
    macs: int
    read: int
    constants: int
    written: int


def work_of(graph: Graph) -> Iterator[Work]:
    """The work of every node, in order."""
    for node, made in zip(graph.nodes, graph.tensors, strict=True):
        operation, inputs = OPERATIONS[node.op], graph.input_types(node)
        yield Work(
            node,
            operation.macs(node, inputs, made),
            sum(tensor.bytes for tensor in inputs),
            sum(len(constant.data) for constant in node.constants.values()),
            made.bytes,
        )
