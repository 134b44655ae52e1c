"""Random graphs of many nodes: valid, worth running, and every executor gives every tensor alike."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from random_graphs import random_graph

from runtime.hbir.codes import TORCH_TYPES
from runtime.hbir.comparison.drawn_codes import drawn_codes
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.onnx_file import read_graph, write_graph
from runtime.hbir.onnxruntime_executor import OnnxRuntimeExecutor
from runtime.hbir.ops import OPERATIONS
from runtime.hbir.reference_executor import ReferenceExecutor


@pytest.mark.parametrize("seed", range(24))
def test_every_tensor_by_every_executor(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    inputs = drawn_codes(graph, rng, samples=1 + seed % 3)
    by_onnx = OnnxRuntimeExecutor(graph, threads=1, expose=True)(inputs)
    by_torch = dict(TorchExecutor(graph).tensors(inputs))
    expected = dict(ReferenceExecutor(graph).tensors({name: x.numpy() for name, x in inputs.items()}))
    for tensor in graph.tensors:
        for found in (by_onnx[tensor.name], by_torch[tensor.name]):
            assert found.dtype == TORCH_TYPES[tensor.dtype]
            assert np.array_equal(found.numpy(), expected[tensor.name]), (seed, tensor)


@pytest.mark.parametrize("seed", range(100, 106))
def test_read_back_equal(tmp_path: Path, seed: int) -> None:
    graph = random_graph(np.random.default_rng(seed))
    write_graph(tmp_path / "x.hbir.onnx", graph)
    assert read_graph(tmp_path / "x.hbir.onnx") == graph


def test_a_seed_is_a_graph() -> None:
    first, again, other = (random_graph(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert first == again != other


def test_graphs_have_every_form() -> None:
    """Every operation and what makes graphs hard to run: branches, joins, views, results that are read on."""
    graphs = [random_graph(np.random.default_rng(seed)) for seed in range(24)]
    nodes = [node for graph in graphs for node in graph.nodes]
    assert {node.op for node in nodes} == set(OPERATIONS)
    assert any("residual_multiplier" in node.constants for node in nodes)
    assert any(node.op == "grid_sample" and len(node.inputs) == 2 for node in nodes)
    assert any(node.op == "grid_sample" and len(node.inputs) == 1 for node in nodes)
    assert {tensor.dtype for graph in graphs for tensor in graph.tensors} == {"int8", "int16", "int32"}
    assert {graph.inputs[0].shape[0] for graph in graphs} == {1, 2, 3}
    assert {len(graph.inputs) for graph in graphs} == {1, 2}
    readers = [Counter(name for node in graph.nodes for name in set(node.inputs)) for graph in graphs]
    assert any(count > 1 for reads in readers for count in reads.values())
    assert any(reads[name] for graph, reads in zip(graphs, readers, strict=True) for name in graph.outputs)


def test_codes_vary() -> None:
    """Most tensors of more than a few values have more than a few codes."""
    varied = total = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        graph = random_graph(rng)
        inputs = {name: x.numpy() for name, x in drawn_codes(graph, rng, samples=2).items()}
        for _, codes in ReferenceExecutor(graph).tensors(inputs):
            total += codes.size > 16
            varied += codes.size > 16 and len(np.unique(codes)) > min(8, codes.size // 4)
    assert varied > total / 2
