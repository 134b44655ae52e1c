"""One node of a graph with all that rules ask about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from runtime.bpu.graph_operations import operation_of
from runtime.bpu.march_data import UNITS, UNSUPPORTED, March, OperationRule
from runtime.bpu.operation import Operation
from runtime.hbir.graph import Graph, Node
from runtime.hbir.tensor_type import TensorType


@dataclass(frozen=True)
class Subject:
    """A node on a march.

    Args:
        march: the chip.
        node: of the graph.
        inputs: tensors that it reads.
        made: the tensor that it makes.
        operation: the node as the hardware model describes it.
    """

    march: March
    node: Node
    inputs: tuple[TensorType, ...]
    made: TensorType
    operation: Operation

    @property
    def rule(self) -> OperationRule | None:
        """What the march says of such operations; None when it says nothing."""
        return self.march.operations.get(self.operation.op)

    @cached_property
    def home(self) -> str:
        """Where the march runs such operations, whatever their sizes: a unit, `CPU` or `unsupported`."""
        rule = self.rule
        return UNSUPPORTED if rule is None else rule.runs_on.value

    @property
    def has_unit(self) -> bool:
        """Whether a unit of the BPU does such operations."""
        return self.home in UNITS


def subjects_of(graph: Graph, march: March) -> Iterator[Subject]:
    """Every node, in order."""
    for node, made in zip(graph.nodes, graph.tensors, strict=True):
        yield Subject(march, node, tuple(graph.input_types(node)), made, operation_of(graph, node))
