"""Real numbers to codes and back."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.quantization.arithmetic.quantize import dequantize, quantize


@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.floats(1e-6, 1e3),
    bounds=st.sampled_from([(-128, 127), (0, 127), (-32768, 32767)]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
@settings(deadline=None)
def test_numpy_and_torch_give_the_same_codes(
    seed: int, scale: float, bounds: tuple[int, int], dtype: type
) -> None:
    lo, hi = bounds
    rng = np.random.default_rng(seed)
    ties = (rng.integers(lo - 3, hi + 3, 300) + 0.5) * scale
    x = np.concatenate([rng.normal(0, hi * scale, 300), ties, [np.inf, -np.inf, 0.0]]).astype(dtype)
    codes = quantize(x, scale, lo=lo, hi=hi)
    tensor = quantize(torch.from_numpy(x), scale, lo=lo, hi=hi)
    assert tensor.dtype == torch.float32
    assert codes.dtype == np.int64
    assert (tensor.numpy().astype(np.int64) == codes).all()
    assert codes.min() >= lo
    assert codes.max() <= hi
    values = dequantize(codes, scale)
    assert values.dtype == np.float32
    assert (dequantize(tensor, scale).numpy() == values).all()


@given(x=st.floats(-20, 20), exponent=st.integers(-8, 1))
@settings(deadline=None)
def test_codes_are_the_nearest_with_ties_upwards(x: float, exponent: int) -> None:
    scale = 2.0**exponent
    nearest = (Fraction(x) / Fraction(scale) + Fraction(1, 2)).__floor__()
    # The sum in float64 may round a number next to a tie onto it.
    if abs(Fraction(x) / Fraction(scale) % 1 - Fraction(1, 2)) > Fraction(1, 2**40) or x * 2 / scale % 2 == 1:
        assert quantize(np.array([x]), scale, lo=-(10**6), hi=10**6).tolist() == [nearest]


def test_known_codes() -> None:
    x = np.array([-1.5, -0.5, -0.49, 0.5, 1.5, 126.5, 200.0])
    assert quantize(x, 1.0, lo=-128, hi=127).tolist() == [-1, 0, 0, 1, 2, 127, 127]


def test_a_camera_s_bytes_are_codes_less_128() -> None:
    pixels = torch.arange(256, dtype=torch.float32)
    assert (quantize((pixels - 128) / 128, 1 / 128, lo=-128, hi=127) == pixels - 128).all()


def test_accumulators_are_dequantised_channel_by_channel() -> None:
    acc = np.array([[2**31 - 1, -(2**30) + 1]])
    scale = np.array([1e-4, 3e-5])
    expected = np.float32(acc * scale)
    assert (dequantize(acc, scale) == expected).all()
    tensor = dequantize(torch.from_numpy(acc).double(), torch.from_numpy(scale))
    assert (tensor.numpy() == expected).all()


def test_what_is_no_number_has_no_code() -> None:
    with pytest.raises(ValueError, match="NaN has no code"):
        quantize(np.array([np.nan]), 1.0, lo=-128, hi=127)
    assert quantize(torch.tensor([torch.nan]), 1.0, lo=-128, hi=127).isnan().all()
