"""The small network with every operation, calibrated, as a graph."""

from __future__ import annotations

from collections.abc import Iterable

from small_networks import EveryOperation, calibrated, random_inputs
from torch import nn

from runtime.hbir.export.from_program import graph_of_program
from runtime.hbir.graph import Graph
from runtime.quantization.config import QuantizationRule
from runtime.quantization.export_program import export_program, module_aliases

INT16 = [
    QuantizationRule(op=op, bits=16)
    for op in ("conv", "add", "concat", "resize", "view_sum", "avg_pool", "lookup", "multiply", "grid_sample")
]


def exported(
    rules: Iterable[QuantizationRule] = (), network: nn.Module | None = None
) -> tuple[nn.Module, Graph]:
    """The network in the state QUANTISE, and its graph."""
    made, _ = calibrated(network or EveryOperation(), rules)
    return made, graph_of(made.eval())


def graph_of(network: nn.Module) -> Graph:
    """The graph of a calibrated network with the inputs `img` and `points`."""
    img, points = random_inputs()
    program = export_program(network, network, {"img": img, "points": points})
    return graph_of_program(program, aliases=module_aliases(network))
