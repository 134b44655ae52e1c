"""On a GPU: the CPU's results, and no waiting for the device while observing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest
import torch

from runtime.errors import RunError
from runtime.quantization.observers import ObserverName, make_observer

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
NAMES = get_args(ObserverName)


@pytest.fixture
def refuse_waiting() -> Iterator[None]:
    """Any synchronisation with the device raises."""
    torch.cuda.set_sync_debug_mode("error")
    yield
    torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("name", NAMES)
def test_same_scale_as_on_the_cpu(name: ObserverName) -> None:
    batches = (
        torch.randn(5, 300_000, generator=torch.Generator().manual_seed(7)) * torch.arange(1, 6)[:, None]
    )
    on_cpu, on_gpu = make_observer(name, bits=8), make_observer(name, bits=8)
    for batch in batches:
        on_cpu.observe(batch)
        on_gpu.observe(batch.cuda())
    assert on_gpu.scale() == on_cpu.scale()
    assert (on_gpu.low, on_gpu.high, on_gpu.count) == (on_cpu.low, on_cpu.high, on_cpu.count)
    if on_cpu.counts is not None:
        assert on_gpu.counts is not None and torch.equal(on_gpu.counts, on_cpu.counts)


@pytest.mark.parametrize("name", NAMES)
def test_observing_does_not_wait(name: ObserverName, request: pytest.FixtureRequest) -> None:
    x = torch.randn(4, 64, 64, 64, device="cuda").to(memory_format=torch.channels_last)
    observer = make_observer(name, bits=8)
    observer.observe(x)  # the places of the sample are sent once
    request.getfixturevalue("refuse_waiting")
    observer.observe(x * 3)
    assert observer.count == 2 * x.numel()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_non_finite_is_refused_when_read(name: ObserverName, bad: float) -> None:
    x = torch.randn(100_000, device="cuda")
    x[7] = bad
    observer = make_observer(name, bits=8)
    observer.observe(x)
    observer.observe(torch.ones(10, device="cuda"))
    with pytest.raises(RunError, match="the tensor has values that are not finite"):
        observer.scale()
