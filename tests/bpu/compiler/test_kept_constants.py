"""Constants that stay on the chip over the turns: loaded once, never written over, the same bits."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
from chain_graph import chain
from numpy.typing import NDArray
from random_graphs import random_graph
from small_chips import small_chip

from runtime.bpu.compiler import CompilerOptions, compile_graph
from runtime.bpu.compiler.compile import assembled, placements_of
from runtime.bpu.compiler.options import Level, Objective
from runtime.bpu.compiler.placement import Placement
from runtime.bpu.compiler.placement_cost import PlacementCost, best_of
from runtime.bpu.march import march_names
from runtime.bpu.program.instruction import Block
from runtime.bpu.program.program import Program
from runtime.bpu.simulator.simulator import Simulator
from runtime.errors import RunError
from runtime.hbir.comparison.drawn_codes import drawn_codes
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.graph import Graph

_MAPS = 3
_LEVELS: tuple[Level, ...] = (1, 2)
_OBJECTIVES: tuple[Objective, ...] = ("latency", "ddr")


def times_loaded(program: Program) -> NDArray[np.int64]:
    """How often each byte of the constants comes to the chip."""
    found = np.zeros(len(program.constants), dtype=np.int64)
    for block in program.blocks:
        for one in block.instructions:
            if one.unit == "LOAD" and one.inputs[0].address < len(found):
                start = one.inputs[0].address
                found[start : start + one.inputs[0].bytes] += block.turns
    return found


def several_views(seed: int) -> tuple[Graph, np.random.Generator]:
    """A random graph that has them."""
    rng = np.random.default_rng(seed)
    while (graph := random_graph(rng, int(rng.integers(3, 14)))).inputs[0].shape[0] == 1:
        pass
    return graph, rng


def is_right(program: Program, graph: Graph) -> bool:
    """Whether the bits are the executor's."""
    inputs = drawn_codes(graph, np.random.default_rng(0))
    found, expected = Simulator(program)(inputs), TorchExecutor(graph, check=False)(inputs)
    return all(torch.equal(found[name], codes) for name, codes in expected.items())


@pytest.mark.parametrize("objective", _OBJECTIVES)
@pytest.mark.parametrize("level", _LEVELS)
def test_with_room_every_constant_is_loaded_once(level: Level, objective: Objective) -> None:
    options = CompilerOptions(level, objective)
    program = compile_graph(chain(4, _MAPS), small_chip("nash-e", 2**20), options)
    assert [block.turns for block in program.blocks] == [1, _MAPS - 1]
    assert set(times_loaded(program)) == {1}


def test_without_optimization_every_turn_loads_them() -> None:
    program = compile_graph(chain(2, _MAPS), small_chip("nash-e", 2**20), CompilerOptions(0))
    assert [block.turns for block in program.blocks] == [_MAPS]
    assert set(times_loaded(program)) == {_MAPS}


@pytest.mark.parametrize("level", _LEVELS)
def test_one_map_has_no_turns_to_keep_them_for(level: Level) -> None:
    program = compile_graph(chain(2), small_chip("nash-e", 2**20), CompilerOptions(level))
    assert [block.turns for block in program.blocks] == [1]


@pytest.mark.parametrize("march", march_names())
@pytest.mark.parametrize("size", [3072, 8192])
def test_random_graphs_of_several_views(march: str, size: int) -> None:
    """Bits of the executor, without hazards, and some constants are kept."""
    kept, chip = 0, small_chip(march, size)
    for seed in range(6):
        graph, _ = several_views(seed)
        options = CompilerOptions(_LEVELS[seed % 2], _OBJECTIVES[seed // 2 % 2])
        try:
            placements = placements_of(graph, chip, options)
        except RunError as error:
            assert "on the chip for its smallest part" in error.message
            continue
        assert is_right(assembled(graph, chip, options, placements), graph)
        kept += any(placement.kept_bytes for placement in placements)
    assert kept


def spans(placement: Placement) -> list[tuple[int, int, int, int]]:
    """Of every buffer on the chip: first and last time, first and last address, both exclusive at the end."""
    times: dict[int, tuple[int, int]] = {}
    for position, draft in enumerate(placement.drafts):
        for view in (*draft.reads, draft.output):
            times[view.buffer] = times.get(view.buffer, (position, 0))[0], position + 1
    found = []
    for number, buffer in enumerate(placement.buffers):
        if buffer.memory == "chip":
            address = buffer.fixed if buffer.fixed is not None else placement.chip[number]
            # What is kept is there in every turn, before its first reader and behind its last.
            life = (0, len(placement.drafts)) if buffer.fixed is not None else times[number]
            found.append((*life, address, address + buffer.size))
    return found


@pytest.mark.parametrize("size", [2048, 8192, 32768])
def test_nothing_lies_on_what_is_kept(size: int) -> None:
    kept = 0
    for seed in range(8):
        graph, _ = several_views(seed)
        try:
            placements = placements_of(graph, small_chip("bayes-e", size), CompilerOptions(_LEVELS[seed % 2]))
        except RunError:
            continue
        for placement in placements:
            kept += placement.kept_bytes > 0
            lying = spans(placement)
            for one, other in combinations(lying, 2):
                beside = one[1] <= other[0] or other[1] <= one[0]
                assert beside or one[3] <= other[2] or other[3] <= one[2]
            allocation = placement.allocation
            assert max((end for *_, end in lying), default=0) <= allocation.peak <= size
            assert placement.kept_bytes <= allocation.lower_bound <= allocation.peak
    assert kept


def test_the_bound_counts_what_is_kept() -> None:
    (placement,) = placements_of(chain(4, _MAPS), small_chip("nash-e", 2**20), CompilerOptions(1))
    fixed = sum(
        buffer.size for buffer in placement.buffers if buffer.fixed is not None and buffer.memory == "chip"
    )
    live = [
        sum(stop - start for first, last, start, stop in spans(placement) if first <= time < last)
        for time in range(len(placement.drafts))
    ]
    assert 0 < fixed <= placement.kept_bytes
    assert max(live) <= placement.allocation.lower_bound < max(live) + 32 * len(placement.buffers)


def test_writing_over_what_is_kept_shows() -> None:
    """At the end of the turns a load to where constants lie: the turn after has other bits, or no weights."""
    graph = chain(2, _MAPS)
    program = compile_graph(graph, small_chip("nash-e", 2**20), CompilerOptions(2))
    first, loop = program.blocks
    assert is_right(program, graph)
    constants = next(
        one.output for one in first.instructions if one.inputs[0].address < len(program.constants)
    )
    load = next(one for one in loop.instructions if one.unit == "LOAD")
    over = replace(
        load, output=replace(load.output, address=constants.address), after=(len(loop.instructions) - 1,)
    )
    assert constants.address + over.output.span <= program.chip_bytes
    with_over = replace(program, blocks=(first, Block(loop.turns, (*loop.instructions, over))))
    try:
        assert not is_right(with_over, graph)
    except RunError as error:
        assert "outside of -127 to 127" in error.message


def test_what_is_kept_must_have_been_loaded() -> None:
    graph = chain(2, _MAPS)
    program = compile_graph(graph, small_chip("nash-e", 2**20), CompilerOptions(2))
    _, loop = program.blocks
    with pytest.raises(RunError, match="nothing has written"):
        is_right(replace(program, blocks=(Block(_MAPS - 1, loop.instructions),)), graph)


def test_half_a_percent_is_equal() -> None:
    fast, lean, slow = PlacementCost(1000, 90), PlacementCost(1005, 50), PlacementCost(1006, 10)
    assert best_of([fast, lean, slow], "latency") == 1
    assert best_of([fast, slow], "latency") == 0
    assert best_of([fast, lean, slow], "ddr") == 2
    assert best_of([PlacementCost(70, 1000), PlacementCost(60, 1005)], "ddr") == 1
    assert best_of([fast, fast], "ddr") == 0
