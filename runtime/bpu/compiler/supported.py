"""Whether a march runs a graph on its BPU at all."""

from __future__ import annotations

from runtime.bpu.graph_operations import operation_of
from runtime.bpu.march_data import March
from runtime.bpu.operation_measures import broken_limits
from runtime.errors import RunError
from runtime.hbir.graph import Graph

_HINT = "the stage `check` says which operations do not run there, and why"


def check_supported(graph: Graph, march: March) -> None:
    """Refuses the first node that the march does not run on its BPU.

    Raises:
        RunError: it has no unit for an operation, not in these widths, or not of this size.
    """
    for node in graph.nodes:
        operation = operation_of(graph, node)
        refusal = march.supports(operation.op, operation.in_bits, operation.out_bits)
        reasons = [refusal] if refusal is not None else broken_limits(march, operation)
        if reasons:
            raise RunError(reasons[0], place=f"node `{node.name}`", hint=_HINT)
