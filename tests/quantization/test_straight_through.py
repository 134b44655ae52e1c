"""Values and gradients of fake quantisation."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.quantization.straight_through import fake_quantize


@settings(max_examples=50, deadline=None)
@given(scale=st.floats(2**-10, 2**6), bits=st.sampled_from([8, 16]), seed=st.integers(0, 1000))
def test_values_are_whole_multiples_within_bounds(scale: float, bits: int, seed: int) -> None:
    torch.manual_seed(seed)
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    x = torch.randn(1000) * scale * high
    y = fake_quantize(x, torch.tensor(scale), low, high)
    codes = torch.floor(x / torch.tensor(scale) + 0.5).clamp(low, high)
    assert torch.equal(y, codes * torch.tensor(scale))


def test_halves_round_up() -> None:
    y = fake_quantize(torch.tensor([-1.5, -0.5, 0.5, 1.5, 2.5]), torch.tensor(1.0), -128, 127)
    assert y.tolist() == [-1.0, 0.0, 1.0, 2.0, 3.0]


def test_gradients_pass_inside_and_stop_where_values_are_cut() -> None:
    x = torch.tensor([-200.0, -128.4, -1.2, 0.3, 127.4, 127.6, 500.0], requires_grad=True)
    fake_quantize(x, torch.tensor(1.0), -128, 127).sum().backward()
    assert x.grad.tolist() == [0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]


def test_a_low_of_zero_is_a_relu() -> None:
    x = torch.tensor([-3.0, -0.2, 0.2, 3.0], requires_grad=True)
    y = fake_quantize(x, torch.tensor(0.25), 0, 127)
    y.sum().backward()
    assert y.tolist() == [0.0, 0.0, 0.25, 3.0]
    assert x.grad.tolist() == [0.0, 0.0, 1.0, 1.0]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_scale_learns_as_lsq_says(layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    x = (torch.randn(2, 3, 4, 5) * 40).contiguous(memory_format=layout).requires_grad_()
    weight = torch.randn(2, 3, 4, 5)
    scale = torch.tensor(0.5, requires_grad=True)
    (fake_quantize(x, scale, -128, 127) * weight).sum().backward()
    ratio = x.detach() / 0.5
    slope = torch.where(
        ratio < -128.5, -128.0, torch.where(ratio >= 127.5, 127.0, (ratio + 0.5).floor() - ratio)
    )
    expected = (slope * weight).sum() / math.sqrt(x.numel() * 127)
    assert scale.grad.item() == pytest.approx(expected.item(), rel=1e-4)


def test_the_scales_of_channels_learn_apart() -> None:
    torch.manual_seed(0)
    weight = torch.randn(3, 2, 1, 1, requires_grad=True)
    scales = torch.tensor([0.01, 0.02, 0.5], requires_grad=True)
    upstream = torch.randn(3, 2, 1, 1)
    (fake_quantize(weight, scales, -127, 127) * upstream).sum().backward()
    for channel in range(3):
        one = torch.tensor(scales[channel].item(), requires_grad=True)
        part = weight.detach()[channel]
        (fake_quantize(part, one, -127, 127) * upstream[channel]).sum().backward()
        assert scales.grad[channel].item() == pytest.approx(one.grad.item(), rel=1e-4)


def test_memory_order_is_kept() -> None:
    x = torch.randn(2, 8, 4, 4).contiguous(memory_format=torch.channels_last).requires_grad_()
    y = fake_quantize(x, torch.tensor(0.1), -128, 127)
    assert y.is_contiguous(memory_format=torch.channels_last)
    y.sum().backward()
    assert x.grad.is_contiguous(memory_format=torch.channels_last)
