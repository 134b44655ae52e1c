"""Every operation gives the same integers by its reference, in torch, and in stock onnxruntime."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from random_graphs import random_graph

from runtime.hbir.codes import TORCH_TYPES
from runtime.hbir.comparison.drawn_codes import drawn_codes
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.graph import Graph
from runtime.hbir.onnx_encode import to_onnx
from runtime.hbir.onnxruntime_executor import OnnxRuntimeExecutor
from runtime.hbir.ops import OPERATIONS
from runtime.hbir.ops.operation import Case
from runtime.hbir.reference_executor import ReferenceExecutor
from runtime.hbir.tensor_type import Constant
from runtime.hbir.validate import validate


def tensors(case: Case) -> dict[str, torch.Tensor]:
    return {
        tensor.name: torch.from_numpy(case.inputs[tensor.name]).to(TORCH_TYPES[tensor.dtype])
        for tensor in case.graph.inputs
    }


def check_executors(graph: Graph, inputs: dict[str, torch.Tensor]) -> None:
    """Every tensor is the same by all three."""
    expected = dict(ReferenceExecutor(graph).tensors({name: x.numpy() for name, x in inputs.items()}))
    by_torch = dict(TorchExecutor(graph).tensors(inputs))
    by_onnx = OnnxRuntimeExecutor(graph, threads=1, expose=True)(inputs)
    for node, made in zip(graph.nodes, graph.tensors, strict=True):
        for found in (by_torch[made.name], by_onnx[made.name]):
            assert found.dtype == TORCH_TYPES[made.dtype]
            assert np.array_equal(found.numpy(), expected[made.name]), (node, made)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("seed", range(6))
def test_any_shape_and_window(name: str, seed: int) -> None:
    """Behind other nodes, on maps of any size, down to one pixel."""
    rng = np.random.default_rng((seed, 1))
    graph = random_graph(rng, nodes=3, last=name)
    assert name in {node.op for node in graph.nodes}
    check_executors(graph, drawn_codes(graph, rng, samples=1 + seed % 2))


# Everything is cut; nothing is left but the sign; every second code is a tie; the largest multiplier.
RESCALES = [(2**14, 1), (2**15 - 1, 47), (2**14, 15), (2**15 - 1, 15)]


def rescaled(case: Case, m: int, k: int) -> Graph:
    """The same node with other multipliers and shifts."""
    (node,) = case.graph.nodes
    numbers = {"multiplier": m, "shift": k}
    attributes = {key: numbers.get(key.removesuffix("s"), value) for key, value in node.attributes.items()}
    for key in ("multipliers", "shifts"):
        if key in node.attributes:
            attributes[key] = (numbers[key[:-1]],) * len(node.integers(key))
    constants = dict(node.constants)
    for key in numbers.keys() & constants.keys():
        old = constants[key]
        constants[key] = Constant.of(np.full(old.shape, numbers[key]), old.dtype)
    return replace(case.graph, nodes=(replace(node, attributes=attributes, constants=constants),))


@pytest.mark.parametrize(
    "name", [name for name, op in OPERATIONS.items() if not op.moves() and name != "lookup"]
)
def test_extreme_rescales(name: str) -> None:
    tried = 0
    for case in OPERATIONS[name].cases(np.random.default_rng(7)):
        for m, k in RESCALES:
            graph = rescaled(case, m, k)
            if graph == case.graph:
                continue  # accumulators
            if "residual_multiplier" in graph.nodes[0].constants and k == 1:
                continue  # with the residual's multiplier it would need more than 52 bits
            check_executors(validate(graph), tensors(case))
            tried += 1
    assert tried >= 2 * len(RESCALES)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_executors_agree(name: str, seed: int) -> None:
    cases = list(OPERATIONS[name].cases(np.random.default_rng(seed)))
    assert cases
    dtypes = set()
    for case in cases:
        validate(case.graph)
        dtypes |= {tensor.dtype for tensor in (*case.graph.inputs, *case.graph.tensors)}
        made = case.graph.tensors[0]
        expected = ReferenceExecutor(case.graph)(case.inputs)[made.name]
        assert expected.shape == (made.shape[0] * 2, *made.shape[1:])
        info = np.iinfo(made.dtype)
        assert expected.min() >= info.min and expected.max() <= info.max
        by_torch = TorchExecutor(case.graph)(tensors(case))[made.name]
        by_onnx = OnnxRuntimeExecutor(case.graph, threads=1)(tensors(case))[made.name]
        for found in (by_torch, by_onnx):
            assert found.dtype == TORCH_TYPES[made.dtype]
            assert np.array_equal(found.numpy(), expected), (case.graph.nodes[0], made)
    assert {"int8", "int16"} <= dtypes


@pytest.mark.parametrize("name", OPERATIONS)
def test_cases_are_worth_running(name: str) -> None:
    """Results are neither constant nor mostly cut off."""
    varied = 0
    cases = [case for seed in range(4) for case in OPERATIONS[name].cases(np.random.default_rng(seed))]
    for case in cases:
        (result,) = ReferenceExecutor(case.graph)(case.inputs).values()
        varied += len(np.unique(result)) > min(8, result.size // 4)
    assert varied > len(cases) / 3


@pytest.mark.parametrize("name", OPERATIONS)
def test_onnx_of_every_form_passes_the_checker(name: str) -> None:
    for case in OPERATIONS[name].cases(np.random.default_rng(4)):
        for any_batch in (False, True):
            model = to_onnx(case.graph, any_batch=any_batch)
            onnx.checker.check_model(model, full_check=True)
