"""Averages over windows and whole maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from runtime.quantization.arithmetic import avg_pool
from runtime.quantization.arithmetic.rescale import code_range, multiplier


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 2), st.integers(1, 20), st.integers(5, 12), st.integers(5, 12)),
    window=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    whole=st.booleans(),
    bits=st.sampled_from([8, 16]),
)
@settings(deadline=None)
def test_the_kernel_gives_the_codes_of_the_reference(
    numbers: Any,
    seed: int,
    shape: tuple[int, int, int, int],
    window: tuple[int, int],
    stride: tuple[int, int],
    whole: bool,
    bits: int,
) -> None:
    rng = np.random.default_rng(seed)
    x = numbers.codes(rng, shape, bits)
    window = shape[2:] if whole else window
    m, k = (int(value) for value in numbers.multipliers(rng, 2 ** (bits - 1) * window[0] * window[1]))
    lo, hi = code_range(bits)
    expected = avg_pool.reference(x, m, k, kernel_size=window, stride=stride, lo=lo, hi=hi)
    result = avg_pool.kernel(
        numbers.tensor(rng, x), m, k, kernel_size=window, stride=stride, bits=bits, lo=lo, hi=hi
    )
    numbers.assert_equal(result, expected)


@pytest.mark.parametrize("bits", [8, 16])
def test_sums_beyond_float32_stay_exact(numbers: Any, bits: int) -> None:
    rng = np.random.default_rng(0)
    hi = code_range(bits)[1]
    side = 400 if bits == 8 else 60
    x = rng.integers(hi - 3, hi + 1, (1, 3, side, side))
    total = int(x[0, 0].sum())
    assert total > 2**24
    layout = {"kernel_size": (side, side), "stride": (side, side)}
    m, k = multiplier(30000 / total)
    result = avg_pool.kernel(
        torch.from_numpy(x).float(), int(m), int(k), bits=bits, lo=-32768, hi=32767, **layout
    )
    numbers.assert_equal(result, avg_pool.reference(x, int(m), int(k), lo=-32768, hi=32767, **layout))
    assert result[0, 0, 0, 0] == numbers.round_shift(total * int(m), int(k), -32768, 32767)


def test_codes_are_within_half_a_step_of_the_real_mean() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(-128, 128, (2, 4, 9, 12))
    m, k = multiplier(1.7 / 12)
    out_scale = 0.02
    in_scale = float(m) * 2.0 ** -float(k) * 12 * out_scale
    codes = avg_pool.reference(x, int(m), int(k), kernel_size=(3, 4), stride=(2, 3), lo=-128, hi=127)
    real = F.avg_pool2d(torch.from_numpy(x).double() * in_scale, (3, 4), stride=(2, 3)).numpy()
    inside = np.abs(codes) < 127
    assert inside.sum() > 50
    assert np.abs(codes * out_scale - real)[inside].max() <= out_scale / 2 * (1 + 1e-9)
