"""Instructions take as long as the model of whole operations says."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from random_graphs import random_graph
from small_chips import small_chip

from runtime.bpu.compiler import CompilerOptions, compile_graph
from runtime.bpu.graph_operations import operations_of_graph
from runtime.bpu.march import march_names
from runtime.bpu.operation_cost import operation_cycles
from runtime.bpu.program.program import Program


def cycles_of_layers(program: Program, *, moves: bool) -> list[int]:
    found = [0] * len(program.layers)
    for block in program.blocks:
        for instruction in block.instructions:
            if instruction.moves == moves:
                found[instruction.layer] += instruction.cycles * block.turns
    return found


@pytest.mark.parametrize("march", march_names())
@pytest.mark.parametrize("seed", range(3))
def test_layers_that_are_not_cut(march: str, seed: int) -> None:
    """Work and overhead of a layer are those of `operation_cycles`; only rounding up adds to them."""
    graph, chip = random_graph(np.random.default_rng(seed)), small_chip(march, 2**20)
    program = compile_graph(graph, chip, CompilerOptions(0))
    turns = [0] * len(program.layers)
    for block in program.blocks:
        for instruction in block.instructions:
            turns[instruction.layer] = block.turns
    for layer, (operation, found) in enumerate(
        zip(operations_of_graph(graph), cycles_of_layers(program, moves=False), strict=True)
    ):
        cost = operation_cycles(chip, replace(operation, reads_ddr=False))
        least = cost.compute + cost.overhead
        assert least <= found <= least + 2 * turns[layer] + 1, operation


def test_parts_take_no_less_than_the_whole() -> None:
    graph, chip = random_graph(np.random.default_rng(1)), small_chip("nash-e", 2**20)
    whole = cycles_of_layers(compile_graph(graph, chip, CompilerOptions(0)), moves=False)
    parts = compile_graph(graph, chip, CompilerOptions(0, row_parts=3, channel_parts=2))
    assert all(a <= b for a, b in zip(whole, cycles_of_layers(parts, moves=False), strict=True))
    assert sum(whole) < sum(cycles_of_layers(parts, moves=False))


def test_a_transfer_takes_latency_and_its_bytes() -> None:
    graph, chip = random_graph(np.random.default_rng(2)), small_chip("bayes", 2**20)
    program = compile_graph(graph, chip, CompilerOptions(0))
    transfers = [x for block in program.blocks for x in block.instructions if x.moves]
    assert transfers
    for transfer in transfers:
        expected = chip.ddr_latency_cycles + transfer.output.bytes / chip.ddr_bytes_per_cycle
        assert transfer.cycles == math.ceil(expected)
