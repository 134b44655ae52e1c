"""Instruction by instruction, layer by layer and as the graph: the same bits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from every_operation import INT16, Rules, exported
from naive_program import naive_program
from numpy.typing import NDArray
from random_graphs import random_graph
from torch import Tensor

from runtime.bpu.simulator.fast import fast_simulator
from runtime.bpu.simulator.simulator import Simulator
from runtime.hbir.codes import TORCH_TYPES
from runtime.hbir.comparison.drawn_codes import drawn_codes
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.graph import Graph
from runtime.hbir.ops import OPERATIONS
from runtime.hbir.reference_executor import ReferenceExecutor


def tensors(graph: Graph, codes: Mapping[str, NDArray[np.int64]]) -> dict[str, Tensor]:
    return {x.name: torch.from_numpy(codes[x.name]).to(TORCH_TYPES[x.dtype]) for x in graph.inputs}


@pytest.mark.parametrize("op", OPERATIONS)
@pytest.mark.parametrize("seed", [None, 0, 1, 2, 3])
def test_every_operation_whole_and_in_parts(op: str, seed: int | None) -> None:
    for number, case in enumerate(OPERATIONS[op].cases(np.random.default_rng(seed or 0))):
        rng = None if seed is None else np.random.default_rng((seed, number))
        program = naive_program(case.graph, rng)
        expected = ReferenceExecutor(case.graph)(case.inputs)
        for run in (Simulator(program), fast_simulator(program)):
            for name, codes in run(tensors(case.graph, case.inputs)).items():
                assert codes.dtype == TORCH_TYPES[case.graph.types[name].dtype]
                assert np.array_equal(codes.numpy(), expected[name]), (op, number)


@pytest.mark.parametrize("seed", range(30))
def test_random_graphs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    program = naive_program(graph, rng if seed % 3 else None)
    inputs = drawn_codes(graph, rng, samples=1 + seed % 2)
    expected = TorchExecutor(graph)(inputs)
    for found in (Simulator(program)(inputs), fast_simulator(program)(inputs)):
        assert list(found) == list(graph.outputs)
        for name, codes in expected.items():
            assert codes.dtype == found[name].dtype
            assert torch.equal(codes, found[name]), (seed, name)


@pytest.mark.parametrize("rules", [(), INT16], ids=["int8", "int16"])
def test_a_calibrated_network(rules: Rules) -> None:
    graph = exported(rules)[1]
    rng = np.random.default_rng(0)
    inputs = drawn_codes(graph, rng, samples=2)
    expected = TorchExecutor(graph)(inputs)
    found = Simulator(naive_program(graph, rng))(inputs)
    assert all(torch.equal(codes, found[name]) for name, codes in expected.items())


def test_garbage_on_the_chip_is_never_read() -> None:
    graph = exported()[1]
    rng = np.random.default_rng(1)
    program = naive_program(graph, rng)
    inputs = drawn_codes(graph, rng)
    first, second = (Simulator(program, seed=seed)(inputs) for seed in (0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)
