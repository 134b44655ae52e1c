"""Layers with more weights than maps: all maps in one turn, the weights loaded once, the same bits."""

from __future__ import annotations

import pytest
from chain_graph import chain
from small_chips import small_chip
from test_kept_constants import is_right, times_loaded

from runtime.bpu.compiler import CompilerOptions, compile_graph
from runtime.bpu.compiler.constants import place_constants
from runtime.bpu.compiler.options import Level, Objective
from runtime.bpu.compiler.shared_weights import of_one_turn

_MAPS, _CHIP = 3, 2**16


@pytest.mark.parametrize("objective", ["latency", "ddr"])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_heavy_weights_are_loaded_once_for_all_maps(level: Level, objective: Objective) -> None:
    graph = chain(4, _MAPS, channels=64, side=4)
    program = compile_graph(graph, small_chip("nash-e", _CHIP), CompilerOptions(level, objective))
    assert [block.turns for block in program.blocks] == [1]
    assert set(times_loaded(program)) == {1}
    assert is_right(program, graph)


def test_large_maps_run_in_turns() -> None:
    graph = chain(4, _MAPS)
    constants, _ = place_constants(graph, 32)
    assert of_one_turn(graph, constants, _CHIP) == frozenset()


def test_weights_that_fit_beside_everything_are_left_to_be_kept() -> None:
    graph = chain(4, _MAPS, channels=64, side=4)
    constants, _ = place_constants(graph, 32)
    assert len(of_one_turn(graph, constants, 2**19)) == 4
    assert of_one_turn(graph, constants, 2**20) == frozenset()
