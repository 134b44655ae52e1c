"""Every mistake that a compiler could make shows: other bits, or a refusal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import islice

import numpy as np
import pytest
import torch
from lively_graph import lively_graph
from naive_program import naive_program
from order_mutations import drop_instruction, drop_wait, reorder
from region_mutations import change_pads, free_early, shift_address, shorten_halo
from torch import Tensor
from traced_program import Mutation, Traced, traced

from runtime.bpu.compiler.compile import compile_graph
from runtime.bpu.compiler.options import CompilerOptions
from runtime.bpu.march import load_march
from runtime.bpu.program.program import Program
from runtime.bpu.simulator.fast import fast_simulator
from runtime.bpu.simulator.simulator import Simulator
from runtime.errors import RunError
from runtime.hbir.executor import TorchExecutor

Codes = dict[str, Tensor]
_DRAWS, _MUTANTS = 50, 6
MUTATIONS = (
    *(shift_address, shorten_halo, change_pads, free_early),
    *(drop_instruction, reorder, drop_wait),
)
MAKERS = ("naive", "compiled 0", "compiled 1", "compiled 2", "compiled in parts")


@cache
def right(maker: str, seed: int) -> tuple[Traced, Codes, Codes]:
    """A right program, what it is given, and what it gives."""
    graph, inputs = lively_graph(np.random.default_rng(seed))
    match maker.split():
        case ["naive"]:
            program = naive_program(graph, np.random.default_rng(seed))
        case ["compiled", "in", "parts"]:
            options = CompilerOptions(row_parts=3, channel_parts=2)
            program = compile_graph(graph, load_march("nash-p"), options)
        case [_, level]:
            options = CompilerOptions(optimization_level=int(level))  # type: ignore[arg-type]
            program = compile_graph(graph, load_march("nash-p"), options)
    expected = TorchExecutor(graph)(inputs)
    assert equal(Simulator(program)(inputs), expected)
    return traced(program, inputs), inputs, expected


def equal(found: Codes, expected: Codes) -> bool:
    return all(torch.equal(found[name], codes) for name, codes in expected.items())


def outcome(
    run: Callable[[Program], Callable[[Codes], Codes]], mutant: Program, inputs: Codes
) -> Codes | None:
    """None if it is refused."""
    try:
        return run(mutant)(inputs)
    except RunError as error:
        assert error.message
        return None


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
@pytest.mark.parametrize("maker", MAKERS)
def test_every_mutant_is_caught(maker: str, mutation: Mutation) -> None:
    counts: Counter[str] = Counter()
    for seed in range(1 if maker == "naive" else 2):
        trace, inputs, expected = right(maker, seed)
        mutants = (mutation(trace, np.random.default_rng((seed, draw))) for draw in range(_DRAWS))
        different = (mutant for mutant in mutants if mutant is not None and mutant != trace.program)
        for number, mutant in enumerate(islice(different, _MUTANTS)):
            found = outcome(Simulator, mutant, inputs)
            assert found is None or not equal(found, expected), (seed, number)
            counts["refused" if found is None else "other bits"] += 1
    assert counts.total() >= _MUTANTS, counts


def change_constant(program: Program, rng: np.random.Generator) -> Program:
    """One of the higher bits of a byte of a layer's constant."""
    layer = program.layers[rng.choice([at for at, layer in enumerate(program.layers) if layer.constants])]
    region = layer.constants[str(rng.choice(sorted(layer.constants)))]
    data = bytearray(program.constants)
    data[region.address + int(rng.integers(region.span))] ^= 1 << int(rng.integers(5, 8))
    return replace(program, constants=bytes(data))


def change_attribute(program: Program, rng: np.random.Generator) -> Program:
    """One number of a layer that an instruction computes, by one."""
    computed = {one.layer for block in program.blocks for one in block.instructions if not one.moves}
    at = int(rng.choice(sorted(computed)))
    layer = program.layers[at]
    key = str(rng.choice(sorted(layer.attributes) or [""]))
    if not key:
        return program
    value, step = layer.attributes[key], int(rng.choice([-1, 1]))
    changed = value + step if isinstance(value, int) else (value[0] + step, *value[1:])
    attributes = {**layer.attributes, key: changed}
    layers = (*program.layers[:at], replace(layer, attributes=attributes), *program.layers[at + 1 :])
    return replace(program, layers=layers)


@pytest.mark.parametrize("change", [change_constant, change_attribute], ids=lambda change: change.__name__)
@pytest.mark.parametrize("maker", MAKERS)
def test_layers_compute_what_they_say(
    maker: str, change: Callable[[Program, np.random.Generator], Program]
) -> None:
    """Other weights or attributes give what the graph gives with them, or a refusal: never the old bits."""
    counts: Counter[str] = Counter()
    for draw in range(10):
        trace, inputs, expected = right(maker, 0)
        mutant = change(trace.program, np.random.default_rng(draw))
        whole, found = outcome(fast_simulator, mutant, inputs), outcome(Simulator, mutant, inputs)
        if whole is None or found is None:
            # Parts may be refused where the whole layer is not: its instructions have the old shapes.
            assert found is None
            counts["refused"] += 1
        else:
            assert equal(found, whole), draw
            counts["other bits"] += not equal(found, expected)
    assert counts["refused"] + counts["other bits"] >= 4, counts
