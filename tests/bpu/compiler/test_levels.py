"""What the levels and objectives are for: fewer bytes of DDR, fewer cycles, loops that stay loops."""

from __future__ import annotations

import numpy as np
import pytest
from chain_graph import chain
from every_operation import exported
from small_chips import small_chip

from runtime.bpu.compiler import CompilerOptions, compile_graph
from runtime.bpu.march_data import March
from runtime.bpu.performance.timeline import timeline
from runtime.bpu.program.program import Program
from runtime.hbir.graph import Graph

_SIZES = (2**15, 2**16, 2**20)


def ddr_bytes(program: Program) -> int:
    return sum(
        block.turns * instruction.output.bytes
        for block in program.blocks
        for instruction in block.instructions
        if instruction.moves
    )


def at_levels(graph: Graph, march: March, objective: str = "latency") -> list[Program]:
    return [compile_graph(graph, march, CompilerOptions(level, objective)) for level in (0, 1, 2)]  # type: ignore[arg-type]


@pytest.mark.parametrize("size", _SIZES)
def test_higher_levels_are_better(size: int) -> None:
    """On a chain whose tensors are 64 KiB each."""
    march = small_chip("bayes-e", size)
    cycles = [timeline(program).cycles for program in at_levels(chain(5), march)]
    assert cycles[2] <= cycles[1] <= cycles[0]
    moved = [ddr_bytes(program) for program in at_levels(chain(5), march, "ddr")]
    assert moved[2] <= moved[1] <= moved[0]
    assert moved[2] < moved[0]


def test_layers_that_are_computed_together_move_nothing_but_input_result_and_constants() -> None:
    graph = chain(3)
    program = compile_graph(graph, small_chip("bayes-e", 2**16), CompilerOptions(2, "ddr"))
    stored = [x for block in program.blocks for x in block.instructions if x.unit == "STORE"]
    assert {x.layer for x in stored} == {2}
    assert sum(x.output.bytes for x in stored) == graph.tensors[2].bytes


def test_the_objective_decides() -> None:
    graph = chain(5)
    march = small_chip("nash-e", 40_000)
    by_ddr, by_latency = (
        compile_graph(graph, march, CompilerOptions(2, objective))  # type: ignore[arg-type]
        for objective in ("ddr", "latency")
    )
    assert ddr_bytes(by_ddr) <= ddr_bytes(by_latency)
    assert timeline(by_latency).cycles <= timeline(by_ddr).cycles


def test_views_are_turns() -> None:
    graph = exported()[1]
    program = compile_graph(graph, small_chip("nash-e", 2**20))
    views = graph.types["img"].shape[0]
    assert [block.turns for block in program.blocks] == [1, views - 1, 1], "the first turn loads constants"
    for block in program.blocks[:2]:
        inner = {x.output.step for x in block.instructions if not x.moves}
        assert inner == {0}, "what is computed in a turn lies where it lay in the turn before"
        assert any(x.inputs[0].step for x in block.instructions if x.unit == "LOAD")


def test_options_are_recorded() -> None:
    program = compile_graph(chain(1), small_chip("bayes", 2**20), CompilerOptions(1, "ddr", row_parts=2))
    assert program.options == {"optimization_level": 1, "objective": "ddr", "row_parts": 2}
    assert program.march == "bayes"
    assert np.prod(program.homes["conv0"].shape) == 16 * 64 * 64
