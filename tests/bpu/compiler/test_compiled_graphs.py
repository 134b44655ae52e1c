"""Compiled for any chip, in any parts, a graph gives the executor's bits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from random_graphs import random_graph
from small_chips import small_chip

from runtime.bpu.compiler import CompilerOptions, compile_graph
from runtime.bpu.march import march_names
from runtime.bpu.march_data import March
from runtime.bpu.simulator.simulator import Simulator
from runtime.errors import RunError
from runtime.hbir.codes import TORCH_TYPES
from runtime.hbir.comparison.drawn_codes import drawn_codes
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.graph import Graph
from runtime.hbir.ops import OPERATIONS

_CHIPS = (2048, 4096, 8192, 16384, 65536)


def random_options(rng: np.random.Generator) -> CompilerOptions:
    parts = [None if rng.integers(2) else int(rng.integers(1, 7)) for _ in range(2)]
    level, objective = rng.choice(3), rng.choice(["latency", "ddr"])
    return CompilerOptions(int(level), str(objective), *parts)  # type: ignore[arg-type]


def check(graph: Graph, march: March, options: CompilerOptions, rng: np.random.Generator) -> bool:
    """Whether it fits on the chip; fails where other bits come out."""
    try:
        program = compile_graph(graph, march, options)
    except RunError as error:
        assert "on the chip for its smallest part" in error.message
        return False
    inputs = drawn_codes(graph, rng)
    found = Simulator(program)(inputs)
    for name, codes in TorchExecutor(graph, check=False)(inputs).items():
        assert found[name].dtype == codes.dtype
        assert torch.equal(found[name], codes), (name, march.name, options)
    return True


@pytest.mark.parametrize("march", march_names())
@pytest.mark.parametrize("seed", range(12))
def test_random_graphs_on_random_chips(march: str, seed: int) -> None:
    rng = np.random.default_rng((seed, march_names().index(march)))
    graph = random_graph(rng, int(rng.integers(3, 16)))
    fitted = [
        check(graph, small_chip(march, size), random_options(rng), rng) for size in _CHIPS[seed % 2 :: 2]
    ]
    assert fitted[-1], "nothing was compared"


@pytest.mark.parametrize("op", OPERATIONS)
@pytest.mark.parametrize("parts", [(1, 1), (2, 1), (1, 2), (3, 3), (99, 99)])
def test_every_operation_in_parts(op: str, parts: tuple[int, int]) -> None:
    march = small_chip("bernoulli2", 2**17)
    for case in OPERATIONS[op].cases(np.random.default_rng(0)):
        options = CompilerOptions(1, row_parts=parts[0], channel_parts=parts[1])
        program = compile_graph(case.graph, march, options)
        inputs = {
            x.name: torch.from_numpy(case.inputs[x.name]).to(TORCH_TYPES[x.dtype]) for x in case.graph.inputs
        }
        found = Simulator(program)(inputs)
        for name, codes in TorchExecutor(case.graph, check=False)(inputs).items():
            assert torch.equal(found[name], codes), (name, parts)


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_a_chip_that_is_just_large_enough(level: int, seed: int) -> None:
    """Down to the size that is refused, everything is right."""
    rng = np.random.default_rng(seed)
    graph, size, compared = random_graph(rng, 6), 2**15, 0
    while check(graph, small_chip("bayes-e", size), CompilerOptions(level), rng):  # type: ignore[arg-type]
        size, compared = size * 3 // 4, compared + 1
    assert compared >= 3
