"""Bilinear sampling at points of a power-of-two step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from runtime.quantization.arithmetic import grid_sample
from runtime.quantization.arithmetic.rescale import code_range, multiplier


def draw_points(rng: np.random.Generator, shape: tuple[int, ...], sides: tuple[int, int], bits: int) -> Any:
    """Point codes within and around a map of (height, width), some of them int16's extremes."""
    one = 2**bits
    column = rng.integers(-3 * one, (sides[1] + 3) * one, shape)
    row = rng.integers(-3 * one, (sides[0] + 3) * one, shape)
    points = np.stack([column, row], axis=-1)
    return np.where(
        rng.integers(0, 8, points.shape) == 0, rng.choice([-32768, 32767, 0, -one], points.shape), points
    )


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 40), *[st.integers(1, 9)] * 2),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    bits=st.sampled_from([8, 16]),
    fraction_bits=st.integers(0, 8),
    dtype=st.sampled_from([torch.float32, torch.int16, torch.int64]),
)
@settings(max_examples=200, deadline=None)
def test_the_kernel_gives_the_codes_of_the_reference(
    numbers: Any,
    seed: int,
    shape: tuple[int, int, int, int],
    size: tuple[int, int],
    bits: int,
    fraction_bits: int,
    dtype: torch.dtype,
) -> None:
    rng = np.random.default_rng(seed)
    x = numbers.codes(rng, shape, bits)
    points = np.clip(draw_points(rng, (shape[0], *size), shape[2:], fraction_bits), -32768, 32767)
    m, k = (int(value) for value in numbers.multipliers(rng, 2 ** (bits - 1 + 2 * fraction_bits)))
    lo, hi = code_range(bits)
    expected = grid_sample.reference(x, points, m, k, fraction_bits=fraction_bits, lo=lo, hi=hi)
    result = grid_sample.kernel(
        numbers.tensor(rng, x),
        torch.from_numpy(points).to(dtype),
        m,
        k,
        fraction_bits=fraction_bits,
        bits=bits,
        lo=lo,
        hi=hi,
    )
    numbers.assert_equal(result, expected)


def test_the_reference_is_the_four_taps_in_plain_integers(numbers: Any) -> None:
    rng = np.random.default_rng(0)
    x, points = rng.integers(-128, 128, (2, 3, 4, 5)), draw_points(rng, (2, 6, 7), (4, 5), 3)
    y = grid_sample.reference(x, points, 2**14 + 5, 19, fraction_bits=3, lo=-128, hi=127)
    for b, c, i, j in np.ndindex(y.shape):
        column, row = (int(code) for code in points[b, i, j])
        acc = 0
        for v, u in np.ndindex(4, 5):
            # A tent of height 8 * 8 around the point, two pixels wide.
            acc += int(x[b, c, v, u]) * max(0, 8 - abs(column - 8 * u)) * max(0, 8 - abs(row - 8 * v))
        assert y[b, c, i, j] == numbers.round_shift(acc * (2**14 + 5), 19, -128, 127)
    assert len(np.unique(y)) > 30


@pytest.mark.parametrize("bits", [8, 16])
def test_a_view_transform_of_real_size(numbers: Any, bits: int) -> None:
    rng = np.random.default_rng(1)
    lo, hi = code_range(bits)
    x, points = rng.integers(lo, hi + 1, (3, 16, 64, 120)), draw_points(rng, (3, 64, 128), (64, 120), 8)
    m, k = multiplier(0.9 / 2**16)
    layout = {"fraction_bits": 8, "lo": lo, "hi": hi}
    expected = grid_sample.reference(x, points, int(m), int(k), **layout)
    tensor = torch.from_numpy(x).float().contiguous(memory_format=torch.channels_last)
    result = grid_sample.kernel(tensor, torch.from_numpy(points).float(), int(m), int(k), bits=bits, **layout)
    assert result.is_contiguous(memory_format=torch.channels_last)
    numbers.assert_equal(result, expected)


def test_codes_are_within_half_a_step_of_the_real_sampling() -> None:
    rng = np.random.default_rng(2)
    x, points = rng.integers(-100, 101, (2, 4, 12, 15)), draw_points(rng, (2, 20, 20), (12, 15), 8)
    m, k = multiplier(1.2 / 2**16)
    out_scale = 0.04
    in_scale = float(m) * 2.0 ** -float(k) * 2**16 * out_scale
    codes = grid_sample.reference(x, points, int(m), int(k), fraction_bits=8, lo=-128, hi=127)
    # grid_sample's -1 and 1 are the outer edges of the border pixels.
    grid = (2 * torch.from_numpy(points).double() / 256 + 1) / torch.tensor([15.0, 12.0]) - 1
    real = F.grid_sample(torch.from_numpy(x).double() * in_scale, grid, align_corners=False)
    assert np.abs(codes * out_scale - real.numpy()).max() <= out_scale / 2 * (1 + 1e-9)


def test_fractions_too_fine_for_the_accumulator_are_refused() -> None:
    with pytest.raises(ValueError, match="points have 9 fraction bits, expected 0 to 8"):
        grid_sample.taps(torch.zeros(1, 2, 2, 2), height=4, width=4, fraction_bits=9)
