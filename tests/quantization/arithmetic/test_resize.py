"""Nearest and bilinear resizing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from runtime.quantization.arithmetic import resize
from runtime.quantization.arithmetic.rescale import code_range, multiplier

SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 20), *[st.integers(1, 9)] * 2)
SIZES = st.tuples(st.integers(1, 20), st.integers(1, 20))


@given(seed=st.integers(0, 2**32 - 1), shape=SHAPES, size=SIZES, bits=st.sampled_from([8, 16]))
@settings(deadline=None)
def test_the_kernels_give_the_codes_of_the_references(
    numbers: Any, seed: int, shape: tuple[int, int, int, int], size: tuple[int, int], bits: int
) -> None:
    rng = np.random.default_rng(seed)
    x = numbers.codes(rng, shape, bits)
    m, k = (int(value) for value in numbers.multipliers(rng, 2 ** (bits + 15)))
    lo, hi = code_range(bits)
    expected = resize.bilinear_reference(x, size, m, k, lo=lo, hi=hi)
    result = resize.bilinear(numbers.tensor(rng, x), size, m, k, bits=bits, lo=lo, hi=hi)
    numbers.assert_equal(result, expected)
    moved = resize.nearest(numbers.tensor(rng, x), size)
    numbers.assert_equal(moved, resize.nearest_reference(x, size))


def test_nearest_takes_the_pixel_that_torch_takes() -> None:
    for in_size in range(1, 80):
        x = torch.arange(in_size, dtype=torch.float32).view(1, 1, 1, -1)
        for out_size in range(1, 80):
            expected = F.interpolate(x, size=(1, out_size), mode="nearest").flatten().tolist()
            assert resize.nearest_index(in_size, out_size).tolist() == expected


def test_nearest_follows_torch_where_float32_decides() -> None:
    # Pixel 41 of 82 lies at 41 * 2 / 82 = 1, but float32 has a step that is a little less than 2 / 82.
    expected = F.interpolate(torch.tensor([[[[0.0, 1.0]]]]), size=(1, 82), mode="nearest").flatten()
    assert resize.nearest_index(2, 82).tolist() == expected.tolist()
    assert expected[41] == 0


def test_axis_weights_are_torch_s_rounded_to_256ths() -> None:
    for in_size in range(1, 40):
        identity = torch.eye(in_size, dtype=torch.float64)[None, :, None, :]
        for out_size in range(1, 40):
            exact = F.interpolate(identity, size=(1, out_size), mode="bilinear", align_corners=False)
            index0, index1, weight0, weight1 = resize.axis_weights(in_size, out_size)
            assert (weight0 + weight1 == 256).all()
            assert weight0.min() >= 0
            assert weight1.min() >= 0
            dense = np.zeros((in_size, out_size))
            np.add.at(dense, (index0, np.arange(out_size)), weight0)
            np.add.at(dense, (index1, np.arange(out_size)), weight1)
            assert np.abs(dense - exact[0, :, 0].numpy() * 256).max() <= 0.5 + 1e-9


def test_known_axis_weights() -> None:
    index0, index1, _, weight1 = resize.axis_weights(3, 6)
    assert index0.tolist() == [0, 0, 0, 1, 1, 2]
    assert index1.tolist() == [1, 1, 1, 2, 2, 2]
    assert weight1.tolist() == [0, 64, 192, 64, 192, 64]
    # Steps of 5 / 7: pixel 1 lies at 1.5 * 5 / 7 - 0.5 = 0.571..., which is 146.3 of 256.
    assert resize.axis_weights(5, 7)[3][1] == 146
    # Pixel 60 lies at 60.5 * 3 / 256 - 0.5 = 53.5 / 256: half up.
    assert resize.axis_weights(3, 256)[3][60] == 54


@pytest.mark.parametrize("size", [(18, 22), (36, 5), (9, 11)])
def test_twice_the_size_is_within_half_a_step_of_real_resizing(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(-100, 101, (2, 3, 9, 11))
    m, k = multiplier(1.1 / resize.WEIGHT_PRODUCT)
    out_scale = 0.05
    in_scale = float(m) * 2.0 ** -float(k) * resize.WEIGHT_PRODUCT * out_scale
    codes = resize.bilinear_reference(x, size, int(m), int(k), lo=-128, hi=127)
    real = F.interpolate(
        torch.from_numpy(x).double() * in_scale, size=size, mode="bilinear", align_corners=False
    ).numpy()
    # Where the size is no power of two times the other, each axis' weights are off by up to 1/512.
    slack = 0.0 if size != (36, 5) else 2 * 200 * in_scale / 512
    assert np.abs(codes * out_scale - real).max() <= out_scale / 2 * (1 + 1e-9) + slack


def test_the_size_of_the_map_itself_changes_nothing() -> None:
    x = np.random.default_rng(0).integers(-32768, 32768, (1, 2, 5, 6))
    m, k = multiplier(1 / resize.WEIGHT_PRODUCT)
    assert (resize.bilinear_reference(x, (5, 6), int(m), int(k), lo=-32768, hi=32767) == x).all()
    assert (resize.nearest_reference(x, (5, 6)) == x).all()
