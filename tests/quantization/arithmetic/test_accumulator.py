"""Proofs that accumulators fit."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.errors import RunError
from runtime.quantization.arithmetic import conv
from runtime.quantization.arithmetic.accumulator import (
    AccumulatorOverflow,
    accumulator_bound,
    check_accumulator,
    residual_fits,
)


def test_the_bound_is_reached_by_the_worst_input() -> None:
    rng = np.random.default_rng(0)
    weight = rng.integers(-127, 128, (5, 3, 3, 2))
    bias = -rng.integers(1, 2**20, 5)
    for bits in (8, 16):
        bound = accumulator_bound(weight, bias, bits=bits)
        for channel in range(5):
            # -2^(bits-1) where the weight is positive; the opposite has no code of that size.
            worst = np.where(weight[channel] > 0, -(2 ** (bits - 1)), 2 ** (bits - 1))
            acc = conv.accumulate(worst[None], weight[channel : channel + 1])
            assert int(acc.item()) + bias[channel] == -bound[channel]
    assert (accumulator_bound(weight, None, bits=8) == accumulator_bound(weight, bias, bits=8) + bias).all()


def test_a_layer_that_could_overflow_is_refused() -> None:
    weight = np.full((3, 512, 1, 1), 100)
    weight[1] = 127
    bias = np.array([0, 2**25, 0])
    check_accumulator("head.conv", weight, bias, bits=8)
    check_accumulator("head.conv", weight, None, bits=16)
    with pytest.raises(AccumulatorOverflow) as caught:
        check_accumulator("head.conv", weight, bias, bits=16)
    assert isinstance(caught.value, RunError)
    assert str(caught.value) == (
        "error: the accumulator of `head.conv` can reach 2164260864 in channel 1 with int16 input, "
        "more than 2147483647 (int32)\nhint: give the layer an int8 input"
    )


def test_the_bound_itself_is_still_allowed() -> None:
    weight = np.full((1, 1, 1, 1), 1)
    check_accumulator("a", weight, np.array([2**31 - 1 - 128]), bits=8)
    with pytest.raises(AccumulatorOverflow, match="can reach 2147483648 in channel 0 with int8 input"):
        check_accumulator("a", weight, np.array([2**31 - 128]), bits=8)


def test_a_residual_fits_below_two_to_the_52() -> None:
    m, k, bound = np.array([2**14, 2**15 - 1]), np.array([20, 30]), np.array([2**20, 2**31 - 1])
    room = 2**52 - int(bound[1]) * int(m[1]) - 2**29
    largest = (room - 1) // 2**15
    assert residual_fits(m, k, bound, [1, largest], bits=16)
    assert not residual_fits(m, k, bound, [1, largest + 1], bits=16)
    assert residual_fits(m, k, bound, [1, largest + 1], bits=8)
    assert not residual_fits(m, k, bound, 2**62, bits=16)
