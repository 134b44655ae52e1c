"""Functions as tables."""

from __future__ import annotations

from fractions import Fraction
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.quantization.arithmetic import lookup
from runtime.quantization.arithmetic.rescale import code_range


def every_code(bits: int) -> Any:
    lo, hi = code_range(bits)
    return np.arange(lo, hi + 1)


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 2), st.integers(1, 20), *[st.integers(1, 9)] * 2),
    bits=st.sampled_from([8, 16]),
    chunk=st.sampled_from([100, 2**17]),
)
@settings(deadline=None)
def test_the_kernel_gives_the_codes_of_the_reference(
    numbers: Any, seed: int, shape: tuple[int, ...], bits: int, chunk: int
) -> None:
    rng = np.random.default_rng(seed)
    x = numbers.codes(rng, shape, bits)
    # Any table, also one that jumps from one extreme to the other.
    table = numbers.codes(rng, (256 if bits == 8 else 1025,), 16)
    with mock.patch.object(lookup, "_CHUNK", chunk):
        result = lookup.kernel(numbers.tensor(rng, x), torch.from_numpy(table).float(), bits=bits)
    numbers.assert_equal(result, lookup.reference(x, table, bits=bits))


@pytest.mark.parametrize("bits", [8, 16])
def test_every_code_through_the_kernel(numbers: Any, bits: int) -> None:
    rng = np.random.default_rng(0)
    x = every_code(bits)
    table = rng.choice([-32768, 32767, 0, 1], 256 if bits == 8 else 1025)
    result = lookup.kernel(torch.from_numpy(x).float(), torch.from_numpy(table).float(), bits=bits)
    numbers.assert_equal(result, lookup.reference(x, table, bits=bits))


def test_int16_lies_on_the_line_between_two_entries() -> None:
    rng = np.random.default_rng(1)
    table = rng.integers(-32768, 32768, 1025)
    x = np.concatenate([every_code(16)[:200], every_code(16)[-200:], rng.integers(-32768, 32768, 200)])
    for code, y in zip(x.tolist(), lookup.reference(x, table, bits=16).tolist(), strict=True):
        index, fraction = divmod(code + 32768, 64)
        line = table[index] + Fraction(int(table[index + 1] - table[index]) * fraction, 64)
        assert y == (line + Fraction(1, 2)).__floor__()


@pytest.mark.parametrize("function", [lookup.sigmoid, lookup.silu, np.tanh])
def test_int8_codes_are_the_nearest_to_the_function(function: Any) -> None:
    table = lookup.table(function, in_scale=0.06, out_scale=0.03, in_bits=8, out_bits=8, lo=-128, hi=127)
    assert table.shape == (256,)
    codes = lookup.reference(every_code(8), table, bits=8)
    real = function(every_code(8) * 0.06)
    inside = codes < 127
    assert inside.sum() > 128
    assert np.abs(codes * 0.03 - real)[inside].max() <= 0.015 * (1 + 1e-9)


@pytest.mark.parametrize(
    ("function", "curvature"), [(lookup.sigmoid, 0.0963), (lookup.silu, 0.5), (np.tanh, 0.7699)]
)
@pytest.mark.parametrize("reach", [4.0, 8.0, 30.0])
def test_int16_codes_are_as_near_as_the_docstring_says(function: Any, curvature: float, reach: float) -> None:
    in_scale, out_scale = reach / 32768, reach / 32767 if function is lookup.silu else 2.0**-15
    table = lookup.table(
        function, in_scale=in_scale, out_scale=out_scale, in_bits=16, out_bits=16, lo=-32768, hi=32767
    )
    assert table.shape == (1025,)
    x = every_code(16)
    error = np.abs(lookup.reference(x, table, bits=16) * out_scale - function(x * in_scale))
    # Half a step from the entries, half a step from the line, the line itself, and the clamp of 1.0.
    assert error.max() <= out_scale * 1.001 + (64 * in_scale) ** 2 / 8 * curvature


def test_the_functions_do_not_overflow() -> None:
    x = np.array([-1e4, -800.0, -1.0, 0.0, 1.0, 800.0, 1e4])
    with np.errstate(all="raise", under="ignore"):
        sigmoid, silu = lookup.sigmoid(x), lookup.silu(x)
    expected = torch.from_numpy(x)
    np.testing.assert_allclose(sigmoid, torch.sigmoid(expected).numpy(), rtol=1e-14, atol=1e-300)
    np.testing.assert_allclose(silu, torch.nn.functional.silu(expected).numpy(), rtol=1e-14, atol=1e-300)


def test_tables_that_cannot_be() -> None:
    scales = {"in_scale": 0.1, "out_scale": 0.1, "in_bits": 8, "out_bits": 8}
    with pytest.raises(ValueError, match="bounds -129 to 127 are outside -128 to 127"):
        lookup.table(lookup.silu, **scales, lo=-129, hi=127)
    with (
        pytest.raises(ValueError, match=r"the function is not finite at -12\.8"),
        np.errstate(invalid="ignore", divide="ignore"),
    ):
        lookup.table(np.log, **scales, lo=0, hi=127)
