"""Channels behind each other at one scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.quantization.arithmetic import concat
from runtime.quantization.arithmetic.rescale import code_range


@given(
    seed=st.integers(0, 2**32 - 1),
    channels=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    size=st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)),
    bits=st.tuples(st.sampled_from([8, 16]), st.sampled_from([8, 16])),
    tell_bits=st.booleans(),
)
@settings(deadline=None)
def test_the_kernel_gives_the_codes_of_the_reference(
    numbers: Any,
    seed: int,
    channels: list[int],
    size: tuple[int, int, int],
    bits: tuple[int, int],
    tell_bits: bool,
) -> None:
    rng = np.random.default_rng(seed)
    inputs, pairs = [], []
    for count in channels:
        inputs.append(numbers.codes(rng, (size[0], count, *size[1:]), bits[0]))
        m, k = numbers.multipliers(rng, 2 ** (bits[0] - 1))
        pairs.append(None if rng.integers(0, 3) == 0 else (int(m), int(k)))
    lo, hi = code_range(bits[1])
    result = concat.kernel(
        [numbers.tensor(rng, codes) for codes in inputs],
        pairs,
        lo=lo,
        hi=hi,
        **({"bits": bits[0]} if tell_bits else {}),
    )
    numbers.assert_equal(result, concat.reference(inputs, pairs, lo=lo, hi=hi))


def test_codes_of_the_output_s_scale_move_unchanged(numbers: Any) -> None:
    first, second = np.arange(-128, 128).reshape(1, 256, 1, 1), np.array([100, -7]).reshape(1, 2, 1, 1)
    y = concat.reference([first, second], [None, (20000, 15)], lo=-128, hi=127)
    assert (y[:, :256] == first).all()
    expected = [numbers.round_shift(code * 20000, 15, -128, 127) for code in (100, -7)]
    assert y[0, 256:, 0, 0].tolist() == expected


def test_every_input_needs_an_entry() -> None:
    with pytest.raises(ValueError, match="zip"):
        concat.kernel([torch.zeros(1, 1, 1, 1)], [], lo=-128, hi=127)
