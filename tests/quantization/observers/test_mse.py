"""The MSE threshold against a search over the raw values."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from runtime.quantization.observers.mse import MSEObserver
from runtime.quantization.observers.rounding_error import squared_errors

Array = NDArray[np.float64]


def raw_error(magnitudes: Array, threshold: float, high_code: int) -> float:
    """Mean squared error of the values themselves."""
    scale = threshold / high_code
    codes = np.minimum(np.round(magnitudes / scale), high_code)
    return float(((magnitudes - codes * scale) ** 2).mean())


# At 16 bits each value's rounding error is as good as random, so the mean of these few thousand varies by a
# hundredth from one threshold to the next; the search over them finds the luckiest.
@pytest.mark.parametrize(("bits", "tolerance"), [(8, 1.01), (16, 1.03)])
def test_error_is_near_the_optimum(bits: int, tolerance: float, values: Tensor) -> None:
    observer = MSEObserver(bits=bits)
    for batch in values.split(5000):
        observer.observe(batch)
    magnitudes = values.abs().double().numpy()
    thresholds = magnitudes.max() * np.concatenate([np.linspace(0.02, 1, 800), np.linspace(0.995, 1, 100)])
    best = min(raw_error(magnitudes, threshold, observer.high_code) for threshold in thresholds)
    threshold = observer.scale() * observer.high_code
    assert raw_error(magnitudes, threshold, observer.high_code) <= tolerance * best


def test_clips_what_is_rare_and_keeps_what_is_not() -> None:
    observer = MSEObserver(bits=8)
    for batch in torch.randn(60, 65536, generator=torch.Generator().manual_seed(2)):
        observer.observe(batch)
    # Published optimum for a normal distribution at 8 bits: 3.92 standard deviations (Banner et al., "Post
    # training 4-bit quantization of convolutional networks for rapid-deployment", 2019).
    assert observer.scale() * 127 == pytest.approx(3.92, abs=0.1)
    uniform = MSEObserver(bits=8)
    uniform.observe(torch.rand(8192, generator=torch.Generator().manual_seed(2)))
    assert uniform.scale() * 127 == pytest.approx(1.0, abs=0.01)


def test_a_tail_that_the_sample_misses_is_not_clipped_at_16_bits() -> None:
    x = torch.randn(2_000_000, generator=torch.Generator().manual_seed(3))
    x[1_234_567] = 30.0
    for bits, most in ((8, 6.0), (16, 30.0)):
        observer = MSEObserver(bits=bits)
        observer.observe(x)
        magnitudes = x.abs().double().numpy()
        best = min(
            raw_error(magnitudes, threshold, observer.high_code)
            for threshold in np.linspace(most / 2, most, 25)
        )
        assert raw_error(magnitudes, observer.scale() * observer.high_code, observer.high_code) <= 1.02 * best


def test_integral_over_stretches() -> None:
    """The closed form against a sum over finely spaced magnitudes, with rounding, ties and clipping."""
    edges = np.array([0.0, 0.3, 1.1, 1.7, 4.0])
    density = np.array([2.0, 0.0, 5.0, 0.5])
    scales = np.array([0.1, 0.37, 1.0])
    fine = (np.arange(400_000) + 0.5) * 1e-5
    weight = density[np.searchsorted(edges, fine, side="right") - 1] * 1e-5
    expected = [
        (weight * (fine - scale * np.minimum(np.round(fine / scale), 3)) ** 2).sum() for scale in scales
    ]
    np.testing.assert_allclose(squared_errors(edges, density, scales, 3), expected, rtol=1e-5)
