"""Graphs for chips whose multipliers have few bits: none has more, and executors agree with evaluation."""

from __future__ import annotations

import pytest
import torch
from every_operation import graph_of
from small_networks import EveryShift, calibrated
from test_export import differing

from runtime.hbir.graph import Graph


def multipliers(graph: Graph) -> list[int]:
    found: list[int] = []
    for node in graph.nodes:
        if "multiplier" in node.attributes:
            found.append(node.integer("multiplier"))
        if "multipliers" in node.attributes:
            found += node.integers("multipliers")
        for name in ("multiplier", "residual_multiplier"):
            if name in node.constants:
                found += node.codes(name).tolist()
    return found


@pytest.mark.parametrize("bits", [1, 3, 8])
def test_no_multiplier_has_more_bits(bits: int) -> None:
    torch.manual_seed(0)
    network, _ = calibrated(EveryShift(), multiplier_bits=bits)
    graph = graph_of(network.eval())
    found = multipliers(graph)
    assert len(found) > 60
    # Bits are counted in the text of the number, without the zeros behind them.
    widest = max(len(f"{multiplier:b}".rstrip("0")) for multiplier in found)
    assert widest == bits
    assert differing(network, graph, 2) == {"map": 0, "other": 0, "class": 0}
