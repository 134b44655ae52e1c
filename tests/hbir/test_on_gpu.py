"""On a GPU: the integers of the references, and of the CPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from every_operation import INT16, Rules, exported
from small_networks import random_inputs

from runtime.hbir.codes import TORCH_TYPES, encode
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.ops import OPERATIONS
from runtime.hbir.reference_executor import ReferenceExecutor

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation(name: str) -> None:
    for case in OPERATIONS[name].cases(np.random.default_rng(0)):
        (expected,) = ReferenceExecutor(case.graph)(case.inputs).values()
        codes = {
            tensor.name: torch.from_numpy(case.inputs[tensor.name]).to(TORCH_TYPES[tensor.dtype])
            for tensor in case.graph.inputs
        }
        (found,) = TorchExecutor(case.graph, device="cuda")(codes).values()
        assert np.array_equal(found.cpu().numpy(), expected)


@pytest.mark.parametrize("rules", [(), INT16], ids=["int8", "int16"])
def test_the_network(rules: Rules) -> None:
    _, graph = exported(rules)
    codes = encode(graph, dict(zip(("img", "points"), random_inputs(3), strict=True)))
    on_cpu, on_gpu = TorchExecutor(graph)(codes), TorchExecutor(graph, device="cuda")(codes)
    assert all(torch.equal(on_gpu[name].cpu(), on_cpu[name]) for name in on_cpu)
