"""Sums of maps."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.quantization.arithmetic import add, weighted_sum
from runtime.quantization.arithmetic.rescale import code_range, common_multipliers


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 2), st.integers(1, 40), *[st.integers(1, 9)] * 2),
    ratios=st.lists(st.floats(2.0**-20, 2.0**13), min_size=2, max_size=4),
    bits=st.sampled_from([8, 16]),
    tell_bits=st.booleans(),
    chunk=st.sampled_from([100, 2**17]),
)
@settings(max_examples=200, deadline=None)
def test_the_kernel_gives_the_codes_of_the_reference(
    numbers: Any,
    seed: int,
    shape: tuple[int, ...],
    ratios: list[float],
    bits: int,
    tell_bits: bool,
    chunk: int,
) -> None:
    rng = np.random.default_rng(seed)
    inputs = [numbers.codes(rng, shape, bits) for _ in ratios]
    ms, k = common_multipliers(ratios)
    k = int(rng.integers(max(1, k - 1), 27)) if k < 26 else k
    lo, hi = code_range(bits)
    lo = int(rng.choice([lo, 0]))
    tensors = [numbers.tensor(rng, codes) for codes in inputs]
    with mock.patch.object(weighted_sum, "_CHUNK", chunk):
        result = add.kernel(tensors, ms.tolist(), k, lo=lo, hi=hi, **({"bits": bits} if tell_bits else {}))
    numbers.assert_equal(result, add.reference(inputs, ms.tolist(), k, lo=lo, hi=hi))


def test_int8_sums_in_float32_reach_no_more_than_it_holds() -> None:
    # The largest sum of three int8 codes with 15-bit multipliers, and the largest k at which it fits.
    assert weighted_sum.fits_float32(2**7 * 3 * (2**15 - 1), 22)
    assert not weighted_sum.fits_float32(2**7 * 3 * (2**15 - 1), 24)
    assert not weighted_sum.fits_float32(2**15 * 2**14, 15)


def test_many_int8_codes_are_not_added_in_float32() -> None:
    ms = [29723, 29723, 29723, 29724, 29724, 1]
    codes = [127, 127, 127, 127, 127, 8]
    # One less than 5 * 2^22 with the half added; float32 would round it up.
    assert sum(q * m for q, m in zip(codes, ms, strict=True)) + 2**21 == 5 * 2**22 - 1
    inputs = [torch.full((1, 1, 30, 30), float(code)) for code in codes]
    assert (add.kernel(inputs, ms, 22, bits=8, lo=-128, hi=127) == 4).all()


@given(
    codes=st.lists(st.integers(-128, 127), min_size=3, max_size=3),
    ms=st.lists(st.integers(0, 2**15 - 1), min_size=3, max_size=3),
    k=st.integers(1, 30),
)
@settings(deadline=None)
def test_the_reference_is_the_rounded_fraction(numbers: Any, codes: list[int], ms: list[int], k: int) -> None:
    total = sum(q * m for q, m in zip(codes, ms, strict=True))
    result = add.reference([np.array([q]) for q in codes], ms, k, lo=-128, hi=127)
    assert result.tolist() == [numbers.round_shift(total, k, -128, 127)]


def test_codes_are_within_half_a_step_of_the_real_sum() -> None:
    rng = np.random.default_rng(0)
    ms, k = common_multipliers([0.3, 0.9])
    out_scale = 0.07
    inputs = [rng.integers(-100, 101, (1, 5, 20, 20)) for _ in range(2)]
    real = sum(q * (m * 2.0**-k * out_scale) for q, m in zip(inputs, ms, strict=True))
    codes = add.reference(inputs, ms.tolist(), k, lo=-128, hi=127)
    assert np.abs(codes * out_scale - real).max() <= out_scale / 2 * (1 + 1e-9)


def test_shapes_and_numbers_of_multipliers_must_match() -> None:
    with pytest.raises(ValueError, match="zip"):
        add.kernel([torch.zeros(1, 1, 2, 2)] * 2, [1], 3, lo=-128, hi=127)
