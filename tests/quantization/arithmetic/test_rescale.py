"""Multipliers, and the rounding of accumulators."""

from __future__ import annotations

from fractions import Fraction
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runtime.quantization.arithmetic import rescale, weighted_sum
from runtime.quantization.arithmetic.rescale import MAX_SHIFT, Rescale, common_multipliers, multiplier

RATIOS = st.floats(2.0**-33, 2.0**13)
SEEDS = st.integers(0, 2**32 - 1)


@given(ratio=RATIOS, bits=st.integers(1, 15))
@example(ratio=9.0, bits=3)  # a tie
@settings(deadline=None)
def test_the_multiplier_is_the_nearest_of_its_bits(ratio: float, bits: int) -> None:
    m, k = (int(value) for value in multiplier(ratio, bits=bits))
    step = 2 ** (15 - bits)
    assert 2**14 <= m < 2**15
    assert m % step == 0
    assert 1 <= k <= MAX_SHIFT
    exact = Fraction(ratio) * 2**k
    # Half a step, a tie going up; below 2^14 the step is half as large.
    assert -Fraction(step, 2) <= exact - m < Fraction(step, 2)
    if m == 2**14:
        assert exact - m >= -Fraction(step, 4)


@pytest.mark.parametrize(
    ("ratio", "m", "k"),
    [
        (1.0, 2**14, 14),
        (0.5, 2**14, 15),
        (1.5, 3 * 2**13, 14),
        (1 + 2.0**-15, 2**14 + 1, 14),  # a tie goes up
        (1 - 2.0**-16, 2**14, 14),  # a tie that carries
        (1 - 2.0**-15, 2**15 - 1, 15),
        (2.0**-33, 2**14, MAX_SHIFT),
        ((2.0**15 - 1) / 2, 2**15 - 1, 1),
    ],
)
def test_known_multipliers(ratio: float, m: int, k: int) -> None:
    assert tuple(int(value) for value in multiplier(ratio)) == (m, k)


def test_multipliers_of_one_bit_are_shifts() -> None:
    m, k = multiplier(np.array([[0.2, 0.7], [0.75, 3.0]]), bits=1)
    assert (m == 2**14).all()
    np.testing.assert_array_equal(k, [[16, 15], [14, 12]])


@pytest.mark.parametrize(
    ("ratio", "message"),
    [
        (0.0, "ratio of scales 0 is not a positive number"),
        ([1.0, -2.0, np.nan], "ratio of scales -2, nan is not a positive number"),
        (np.inf, "ratio of scales inf is not a positive number"),
        (2.0**14, "ratio of scales 16384 needs a shift outside 1 to 47"),
        ([1e-11] * 7, f"ratio of scales {', '.join(['1e-11'] * 5)} and 2 more needs a shift outside 1 to 47"),
    ],
)
def test_ratios_without_a_multiplier(ratio: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        multiplier(ratio)
    assert str(caught.value) == message


def test_shifts_end_where_every_accumulator_gives_zero() -> None:
    extremes = np.array([-(2**31), 2**31 - 1])
    assert rescale.reference(extremes, 2**15 - 1, MAX_SHIFT - 1, -128, 127).tolist() == [-1, 1]
    assert rescale.reference(extremes, 2**15 - 1, MAX_SHIFT, -128, 127).tolist() == [0, 0]


@given(
    ratios=st.lists(st.floats(2.0**-20, 2.0**13), min_size=1, max_size=5), bits=st.sampled_from([1, 4, 15])
)
@settings(deadline=None)
def test_common_multipliers_share_the_shift_of_the_largest(ratios: list[float], bits: int) -> None:
    ms, k = common_multipliers(ratios, bits=bits)
    m, expected_k = multiplier(max(ratios), bits=bits)
    assert k == int(expected_k)
    assert ms.max() == m
    for ratio, each in zip(ratios, ms.tolist(), strict=True):
        assert int(each).bit_length() - (int(each) & -int(each)).bit_length() < bits
        exact = Fraction(ratio) * 2**k
        assert abs(exact - each) <= max(Fraction(1, 2), exact / 2**bits)


def test_common_multipliers_of_15_bits_round_half_up() -> None:
    ms, k = common_multipliers([1.0, 0.5 + 2.0**-15, 2.0**-15, 2.0**-16])
    assert (ms.tolist(), k) == ([2**14, 2**13 + 1, 1, 0], 14)
    with pytest.raises(ValueError, match=r"expected one or more ratios, got \[\]"):
        common_multipliers([])
    with pytest.raises(ValueError, match="-1 is not a positive number"):
        common_multipliers([1.0, -1.0])


def test_code_ranges() -> None:
    assert rescale.code_range(8) == (-128, 127)
    assert rescale.code_range(16) == (-32768, 32767)
    with pytest.raises(ValueError, match="codes of 4 bits, expected 8 or 16"):
        rescale.code_range(4)


@given(
    acc=st.integers(-(2**31), 2**31 - 1),
    m=st.integers(2**14, 2**15 - 1),
    k=st.integers(1, MAX_SHIFT),
    bounds=st.sampled_from([(-128, 127), (0, 127), (-32768, 32767)]),
)
@settings(deadline=None)
def test_the_reference_is_the_fraction_rounded_half_up(
    numbers: Any, acc: int, m: int, k: int, bounds: tuple[int, int]
) -> None:
    assert rescale.reference(np.array(acc), m, k, *bounds) == numbers.round_shift(acc * m, k, *bounds)


def test_ties_go_up() -> None:
    acc = np.array([-3, -1, 1, 3])
    assert rescale.reference(acc, 2**14, 15, -128, 127).tolist() == [-1, 0, 1, 2]
    tensor = torch.tensor([-3.0, -1.0, 1.0, 3.0]).view(1, 1, 1, 4)
    assert rescale.kernel(tensor, Rescale.of(2**14, 15), lo=-128, hi=127).flatten().tolist() == [-1, 0, 1, 2]


@given(
    seed=SEEDS,
    shape=st.tuples(st.integers(1, 3), st.sampled_from([1, 2, 3, 7, 24, 130, 700]), *[st.integers(1, 9)] * 2),
    bits=st.sampled_from([8, 16]),
    chunk=st.sampled_from([1, 1000, 2**17]),
    per_channel=st.booleans(),
    double=st.booleans(),
    with_bias=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_the_kernel_gives_the_codes_of_the_reference(
    numbers: Any,
    seed: int,
    shape: tuple[int, int, int, int],
    bits: int,
    chunk: int,
    per_channel: bool,
    double: bool,
    with_bias: bool,
) -> None:
    rng = np.random.default_rng(seed)
    # float32 has the integers up to 2^24; accumulators of more bits come as float64.
    bound = 2**30 if double else 2**24
    acc = (
        rng.choice([-bound, bound, 0], shape)
        if rng.integers(0, 3) == 0
        else rng.integers(-bound, bound, shape)
    )
    channels = (shape[1],) if per_channel else ()
    m, k = numbers.multipliers(rng, bound, channels)
    bias = rng.integers(-(2**30), 2**30, shape[1]) if with_bias else np.zeros(shape[1], dtype=np.int64)
    lo, hi = rescale.code_range(bits)
    lo = int(rng.choice([lo, 0]))
    tensor = numbers.tensor(rng, acc)
    if double:
        tensor = torch.from_numpy(acc).double().contiguous(memory_format=torch.channels_last)
    before = tensor.clone()
    with mock.patch.object(weighted_sum, "_CHUNK", chunk):
        codes = rescale.kernel(
            tensor,
            Rescale.of(m, k),
            lo=lo,
            hi=hi,
            bias=torch.from_numpy(bias).double() if with_bias else None,
        )
    column = (slice(None), None, None) if per_channel else ()
    expected = rescale.reference(acc + bias[:, None, None], m[column], k[column], lo, hi)
    numbers.assert_equal(codes, expected)
    assert torch.equal(tensor, before)


def test_the_kernel_keeps_the_memory_format_and_takes_strided_input(numbers: Any) -> None:
    rng = np.random.default_rng(0)
    acc = rng.integers(-(2**20), 2**20, (2, 24, 20, 30))
    scale = Rescale.of(rng.integers(2**14, 2**15, 24), rng.integers(24, 32, 24))
    tensor = torch.from_numpy(acc).float()
    expected = rescale.kernel(tensor, scale, lo=-128, hi=127)
    last = rescale.kernel(tensor.contiguous(memory_format=torch.channels_last), scale, lo=-128, hi=127)
    assert last.is_contiguous(memory_format=torch.channels_last)
    assert expected.is_contiguous()
    assert torch.equal(last, expected)
    strided = rescale.kernel(tensor.permute(0, 1, 3, 2), scale, lo=-128, hi=127)
    assert torch.equal(strided.permute(0, 1, 3, 2), expected)
    part = tensor[:, :, 3:17, 5:]
    assert torch.equal(rescale.kernel(part, scale, lo=-128, hi=127), expected[:, :, 3:17, 5:])


def test_rescale_takes_one_number_or_one_a_channel() -> None:
    scale = Rescale.of([2**14, 2**15 - 1], 20)
    assert scale.factor.shape == scale.step.shape == (2, 1, 1)
    assert scale.factor.flatten().tolist() == [2.0**-6, (2**15 - 1) * 2.0**-20]
    assert Rescale.of(2**14, 1).to("cpu").step.shape == ()
    with pytest.raises(ValueError, match=r"multipliers of shape \(1, 2\), expected \(\) or \(C,\)"):
        Rescale.of([[2**14, 2**14]], 3)
