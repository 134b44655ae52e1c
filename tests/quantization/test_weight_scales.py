"""Weight scales against a search over each channel, value by value."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from runtime.errors import RunError
from runtime.quantization.observers import SMALLEST_SCALE
from runtime.quantization.weight_scales import weight_scales

WEIGHTS = {
    "conv": torch.randn(8, 16, 3, 3, generator=torch.Generator().manual_seed(0)) * 0.1,
    "depthwise": torch.randn(24, 1, 3, 3, generator=torch.Generator().manual_seed(1)),
    "linear": torch.randn(5, 700, generator=torch.Generator().manual_seed(2)).pow(3),
    "many channels": torch.randn(40, 3000, generator=torch.Generator().manual_seed(3)),
}


@pytest.fixture(params=sorted(WEIGHTS))
def weight(request: pytest.FixtureRequest) -> Tensor:
    return WEIGHTS[request.param]


def channel_error(row: np.ndarray, scale: float) -> float:
    codes = np.clip(np.round(row / scale), -127, 127)
    return float(((row - codes * scale) ** 2).sum())


def test_max_is_the_largest_magnitude(weight: Tensor) -> None:
    scales = weight_scales(weight, method="max")
    assert scales.dtype == torch.float64 and scales.shape == (len(weight),)
    expected = weight.double().flatten(1).abs().amax(1) / 127
    assert torch.equal(scales, expected)


def test_mse_is_no_worse_than_a_dense_search(weight: Tensor) -> None:
    scales = weight_scales(weight, method="mse")
    assert scales.dtype == torch.float64 and scales.shape == (len(weight),)
    for row, scale in zip(weight.double().flatten(1).numpy()[:8], scales.tolist(), strict=False):
        largest = np.abs(row).max() / 127
        best = min(channel_error(row, largest * ratio) for ratio in np.linspace(0.3, 1.0, 1000))
        assert channel_error(row, scale) <= 1.01 * best


def test_mse_is_never_worse_than_max(weight: Tensor) -> None:
    rows = weight.double().flatten(1).numpy()
    pairs = zip(weight_scales(weight, method="mse"), weight_scales(weight, method="max"), strict=True)
    for row, (mse, largest) in zip(rows, pairs, strict=True):
        assert channel_error(row, mse.item()) <= channel_error(row, largest.item())


@pytest.mark.parametrize("method", ["max", "mse"])
def test_channels_do_not_touch_each_other(method: str, weight: Tensor) -> None:
    scales = weight_scales(weight, method=method)  # type: ignore[arg-type]
    alone = torch.cat([weight_scales(row[None], method=method) for row in weight])  # type: ignore[arg-type]
    torch.testing.assert_close(scales, alone, rtol=1e-12, atol=0)


@pytest.mark.parametrize("method", ["max", "mse"])
def test_zero_channel_gets_the_smallest_scale(method: str) -> None:
    weight = torch.ones(3, 4, 1, 1)
    weight[1] = 0
    scales = weight_scales(weight, method=method)  # type: ignore[arg-type]
    assert scales[1] == SMALLEST_SCALE
    torch.testing.assert_close(scales[[0, 2]], torch.full((2,), 1 / 127, dtype=torch.float64))


def test_refusals() -> None:
    weight = torch.ones(2, 3)
    with pytest.raises(ValueError, match="unknown method `kl`, expected max or mse"):
        weight_scales(weight, method="kl")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"an output axis and others, not the shape \(3,\)"):
        weight_scales(weight[0], method="max")
    weight[1, 2] = float("nan")
    with pytest.raises(RunError, match="the weight has values that are not finite"):
        weight_scales(weight, method="max")
