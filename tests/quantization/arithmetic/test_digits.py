"""Codes split into digits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.quantization.arithmetic import digits
from runtime.quantization.arithmetic.digits import DigitPlan
from runtime.quantization.arithmetic.rescale import code_range


@pytest.mark.parametrize(
    ("weight_sum", "bits", "expected"),
    [
        (2**17 - 1, 8, DigitPlan(count=1, width=8)),
        (2**17, 8, DigitPlan(count=2, width=4)),
        (2**9 - 1, 16, DigitPlan(count=1, width=16)),
        (2**9, 16, DigitPlan(count=2, width=8)),
        ((2**24 - 1) // 255, 16, DigitPlan(count=2, width=8)),
        (2**24 // 255 + 1, 16, DigitPlan(count=3, width=6)),
        (2**24 // 63 + 1, 16, DigitPlan(count=1, width=16, double=True)),
    ],
)
def test_as_few_digits_as_sums_below_two_to_the_24_allow(
    weight_sum: int, bits: int, expected: DigitPlan
) -> None:
    assert digits.plan(weight_sum, bits=bits) == expected


def test_every_accumulator_of_31_bits_is_exact_with_two_digits_of_int16() -> None:
    largest = (2**31 - 1) // 2**15
    assert digits.plan(largest, bits=16) == DigitPlan(count=2, width=8)


def test_digits_can_be_kept_small() -> None:
    assert digits.plan(1, bits=16).count == 1
    assert digits.plan(1, bits=16, largest_digit=2**11).count == 2
    assert digits.plan(1, bits=8, largest_digit=2**11).count == 1


@given(weight_sum=st.integers(1, 2**21), bits=st.sampled_from([8, 16]))
@settings(deadline=None)
def test_digits_make_up_the_code_and_keep_to_the_bound(weight_sum: int, bits: int) -> None:
    plan = digits.plan(weight_sum, bits=bits)
    lo, hi = code_range(bits)
    codes = torch.arange(lo, hi + 1, dtype=torch.float32)
    parts = digits.split(codes, plan)
    assert len(parts) == plan.count
    total = np.zeros(hi - lo + 1, dtype=np.int64)
    for place, part in enumerate(parts):
        integers = part.numpy().astype(np.int64)
        assert (integers == part.numpy()).all()
        assert plan.double or np.abs(integers).max() * weight_sum < 2**24
        assert place == plan.count - 1 or (integers.min() >= 0 and integers.max() < 2**plan.width)
        total += integers << (plan.width * place)
    assert (total == np.arange(lo, hi + 1)).all()
    assert parts[0].dtype == (torch.float64 if plan.double else torch.float32)
