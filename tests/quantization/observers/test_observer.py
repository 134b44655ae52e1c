"""What holds for every observer: ranges, batches, refusals, and scales that are never zero."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch import Tensor

from runtime.errors import RunError
from runtime.quantization.observers import SMALLEST_SCALE, Observer, ObserverName, make_observer

NAMES = get_args(ObserverName)
WITHOUT_ORDER = [name for name in NAMES if name != "moving_average"]


@pytest.fixture(params=[(name, bits) for name in NAMES for bits in (8, 16)], ids=str)
def observer(request: pytest.FixtureRequest) -> Observer:
    name, bits = request.param
    return make_observer(name, bits=bits)


def test_range_and_count_are_exact(observer: Observer, values: Tensor) -> None:
    for batch in values.view(4, -1):
        observer.observe(batch)
    assert (observer.low, observer.high) == (values.min().item(), values.max().item())
    assert observer.count == values.numel()


@pytest.mark.parametrize("bits", [8, 16])
def test_min_max_is_the_largest_magnitude(bits: int, values: Tensor) -> None:
    observer = make_observer("min_max", bits=bits)
    observer.observe(values)
    assert observer.scale() == values.abs().max().item() / {8: 127, 16: 32767}[bits]
    assert observer.counts is None and observer.edges is None


def test_no_scale_exceeds_the_range(observer: Observer, values: Tensor) -> None:
    observer.observe(values)
    assert 0 < observer.scale() <= values.abs().max().item() / observer.high_code


def test_all_zero_gives_the_smallest_scale(observer: Observer) -> None:
    observer.observe(torch.zeros(3, 5))
    assert observer.scale() == SMALLEST_SCALE
    assert (observer.low, observer.high) == (0.0, 0.0)


@pytest.mark.parametrize("constant", [1.0, -0.3, 6.0, 1e-4, 1e30])
def test_constant_keeps_its_value(observer: Observer, constant: float) -> None:
    x = torch.full((7, 11), constant)
    observer.observe(x)
    exact = abs(x[0, 0].item()) / observer.high_code
    # A bin, which no observer misses by more, is at most 1/1024 of the largest magnitude.
    assert exact * (1 - 1 / 1024) <= observer.scale() <= exact or observer.scale() == SMALLEST_SCALE > exact


@pytest.mark.parametrize("name", WITHOUT_ORDER)
def test_batches_equal_their_concatenation(name: ObserverName, values: Tensor) -> None:
    whole, parts, backwards = (make_observer(name, bits=8) for _ in range(3))
    # Growing batches make the range of the histogram double many times.
    pieces = values.sort(stable=True).values.abs().sort().values.split([1, 15, 4000, len(values) - 4016])
    whole.observe(torch.cat(pieces))
    for piece in pieces:
        parts.observe(piece)
    for piece in reversed(pieces):
        backwards.observe(piece)
    assert whole.scale() == parts.scale() == backwards.scale()


def test_reset_forgets(observer: Observer, values: Tensor) -> None:
    observer.observe(values)
    expected = observer.scale()
    observer.reset()
    observer.observe(values * 100)
    observer.reset()
    assert observer.count == 0
    observer.observe(values)
    assert observer.scale() == expected


def test_nothing_observed(observer: Observer) -> None:
    observer.observe(torch.empty(0, 3))
    for read in (observer.scale, lambda: observer.low, lambda: observer.high):
        with pytest.raises(RunError) as caught:
            read()
        assert str(caught.value) == (
            "error: no values were observed, so there is no range to make a scale of\n"
            "hint: run calibration batches through the model first"
        )


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_non_finite_is_refused(observer: Observer, bad: float) -> None:
    x = torch.arange(40_000, dtype=torch.float32)
    x[33_333] = bad
    with pytest.raises(
        RunError, match=r"the tensor has values that are not finite \(smallest .*, largest .*\)"
    ):
        observer.observe(x)
    assert observer.count == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_float_types(observer: Observer, dtype: torch.dtype) -> None:
    x = torch.linspace(-2, 1, 301).to(dtype)
    observer.observe(x)
    same = make_observer_like(observer)
    same.observe(x.float())
    if dtype == torch.float64:
        x = x.double()
    assert observer.scale() == pytest.approx(same.scale(), rel=1e-6)


def make_observer_like(observer: Observer) -> Observer:
    return type(observer)(bits=observer.bits)


def test_works_across_inference_mode_and_gradients(observer: Observer, values: Tensor) -> None:
    with torch.inference_mode():
        observer.observe(values.clone())
    observer.observe((values.clone().requires_grad_() * 1.0).view(4, -1))
    plain = make_observer_like(observer)
    plain.observe(values)
    plain.observe(values)
    assert observer.scale() == plain.scale()


def test_unknown_name_and_bits() -> None:
    with pytest.raises(
        ValueError, match="unknown observer `median`, expected one of min_max, moving_average"
    ):
        make_observer("median", bits=8)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="codes have 8 or 16 bits, not 4"):
        make_observer("mse", bits=4)
