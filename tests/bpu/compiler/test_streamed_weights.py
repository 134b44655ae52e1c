"""Weights that do not fit twice are loaded in parts, beside the work on the parts before."""

from __future__ import annotations

import pytest
from small_chips import small_chip

from benchmarks.networks.layers import Layers
from runtime.bpu.compiler import CompilerOptions, compile_graph
from runtime.bpu.estimate.as_graph.network_graph import as_graph
from runtime.bpu.performance.timeline import timeline


@pytest.mark.parametrize("level", [1, 2])
def test_loads_run_beside_work(level: int) -> None:
    """Four layers of 590 kB of weights each, on a chip of 1 MiB."""
    net = Layers((1, 256, 14, 14))
    x = net.image
    for _ in range(4):
        x = net.conv(x, 256, 3)
    march = small_chip("bayes-e", 2**20)
    program = compile_graph(as_graph(net.graph), march, CompilerOptions(level))  # type: ignore[arg-type]
    (block,) = program.blocks
    busy = {
        unit: sum(one.cycles for one in block.instructions if one.unit == unit) for unit in ("LOAD", "TAE")
    }
    assert timeline(program).cycles < 1.3 * max(busy.values()) < sum(busy.values())
