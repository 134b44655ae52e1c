"""Sums over the views of a sample."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.quantization.arithmetic import view_sum
from runtime.quantization.arithmetic.rescale import code_range


@given(
    seed=st.integers(0, 2**32 - 1),
    views=st.integers(1, 7),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 30), *[st.integers(1, 9)] * 2),
    bits=st.sampled_from([8, 16]),
)
@settings(deadline=None)
def test_the_kernel_gives_the_codes_of_the_reference(
    numbers: Any, seed: int, views: int, shape: tuple[int, int, int, int], bits: int
) -> None:
    rng = np.random.default_rng(seed)
    x = numbers.codes(rng, (shape[0] * views, *shape[1:]), bits)
    m, k = (int(value) for value in numbers.multipliers(rng, views * 2 ** (bits - 1)))
    lo, hi = code_range(bits)
    tensor = numbers.tensor(rng, x)
    before = tensor.clone()
    result = view_sum.kernel(tensor, m, k, num_views=views, lo=lo, hi=hi)
    numbers.assert_equal(result, view_sum.reference(x, m, k, num_views=views, lo=lo, hi=hi))
    assert (tensor == before).all()


def test_the_views_of_a_sample_lie_behind_each_other_and_are_rounded_once(numbers: Any) -> None:
    x = np.array([1, 1, 1, 10, 20, 31]).reshape(6, 1, 1, 1)
    # A quarter: 3 / 4 rounds to 1, three times 1 / 4 would round to 0.
    assert view_sum.reference(x, 2**14, 16, num_views=3, lo=-128, hi=127).flatten().tolist() == [1, 15]
    total = sum([10, 20, 31]) * 20001
    y = view_sum.reference(x, 20001, 17, num_views=3, lo=-128, hi=127)
    assert y[1].item() == numbers.round_shift(total, 17, -128, 127)
