"""Products of maps and gates."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.quantization.arithmetic import multiply
from runtime.quantization.arithmetic.rescale import code_range


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 3), st.sampled_from([1, 3, 24, 600]), *[st.integers(1, 9)] * 2),
    bits=st.tuples(st.sampled_from([8, 16]), st.sampled_from([8, 16])),
    gate=st.sampled_from(["channels", "map", "one sample"]),
)
@settings(deadline=None)
def test_the_kernel_gives_the_codes_of_the_reference(
    numbers: Any, seed: int, shape: tuple[int, int, int, int], bits: tuple[int, int], gate: str
) -> None:
    rng = np.random.default_rng(seed)
    gates = {"channels": (*shape[:2], 1, 1), "map": shape, "one sample": (1, shape[1], 1, 1)}
    x, y = numbers.codes(rng, shape, bits[0]), numbers.codes(rng, gates[gate], bits[1])
    m, k = (int(value) for value in numbers.multipliers(rng, 2 ** (sum(bits) - 2)))
    lo, hi = code_range(bits[0])
    result = multiply.kernel(numbers.tensor(rng, x), numbers.tensor(rng, y), m, k, lo=lo, hi=hi)
    numbers.assert_equal(result, multiply.reference(x, y, m, k, lo=lo, hi=hi))


@given(
    x=st.integers(-32768, 32767),
    gate=st.integers(-32768, 32767),
    m=st.integers(2**14, 2**15 - 1),
    k=st.integers(1, 47),
)
@settings(deadline=None)
def test_the_reference_is_the_rounded_fraction(numbers: Any, x: int, gate: int, m: int, k: int) -> None:
    y = multiply.reference(np.array(x), np.array(gate), m, k, lo=-32768, hi=32767)
    assert y == numbers.round_shift(x * gate * m, k, -32768, 32767)
