"""The small network with every operation, calibrated, as a graph."""

from __future__ import annotations

from functools import cache

import torch
from small_networks import EveryOperation, calibrated, random_inputs
from torch import nn

from runtime.hbir.export.from_program import graph_of_program
from runtime.hbir.graph import Graph
from runtime.quantization.config import QuantizationRule
from runtime.quantization.export_program import export_program, module_aliases

Rules = tuple[QuantizationRule, ...]

INT16 = tuple(
    QuantizationRule(op=op, bits=16)  # type: ignore[arg-type]
    for op in ("conv", "add", "concat", "resize", "view_sum", "avg_pool", "lookup", "multiply", "grid_sample")
)


@cache
def exported(rules: Rules = ()) -> tuple[nn.Module, Graph]:
    """The network in the state QUANTISE, and its graph; neither may be changed."""
    torch.manual_seed(0)
    network, _ = calibrated(EveryOperation(), rules)
    return network.eval(), graph_of(network)


def graph_of(network: nn.Module) -> Graph:
    """The graph of a calibrated network with the inputs `img` and `points`."""
    img, points = random_inputs()
    program = export_program(network, network, {"img": img, "points": points})
    return graph_of_program(program, aliases=module_aliases(network))
