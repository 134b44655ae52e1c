"""Every operation gives the same integers by its reference, in torch, and in stock onnxruntime."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from runtime.hbir.codes import TORCH_TYPES
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.onnx_encode import to_onnx
from runtime.hbir.onnxruntime_executor import OnnxRuntimeExecutor
from runtime.hbir.ops import OPERATIONS
from runtime.hbir.ops.operation import Case
from runtime.hbir.reference_executor import ReferenceExecutor
from runtime.hbir.validate import validate


def tensors(case: Case) -> dict[str, torch.Tensor]:
    return {
        tensor.name: torch.from_numpy(case.inputs[tensor.name]).to(TORCH_TYPES[tensor.dtype])
        for tensor in case.graph.inputs
    }


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
