"""Convolutions: integers equal to the definition, however they are computed."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from runtime.quantization.arithmetic import conv, weighted_sum
from runtime.quantization.arithmetic.digits import DigitPlan
from runtime.quantization.arithmetic.rescale import Rescale, code_range

SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def layers(draw: st.DrawFn) -> dict[str, Any]:
    """Shapes and layout of a convolution whose kernel fits into its padded input."""
    groups, inputs, outputs = draw(st.sampled_from([(1, 3, 8), (1, 17, 5), (2, 4, 3), (6, 1, 1), (3, 1, 2)]))
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    dilation = draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    padding = draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))
    least = [max(1, d * (k - 1) + 1 - 2 * p) for k, d, p in zip(kernel, dilation, padding, strict=True)]
    size = tuple(draw(st.integers(side, side + 9)) for side in least)
    return {
        "x": (draw(st.integers(1, 3)), groups * inputs, *size),
        "weight": (groups * outputs, inputs, *kernel),
        "layout": {
            "stride": draw(st.tuples(st.integers(1, 3), st.integers(1, 3))),
            "padding": padding,
            "dilation": dilation,
            "groups": groups,
        },
    }


def draw_weight(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    kind = rng.integers(0, 4)
    if kind == 0:
        return np.full(shape, 127)
    return rng.choice([-127, 127], shape) if kind == 1 else rng.integers(-127, 128, shape)


@given(
    seed=SEEDS,
    layer=layers(),
    bits=st.sampled_from([8, 16]),
    with_bias=st.booleans(),
    with_residual=st.booleans(),
    chunk=st.sampled_from([100, 2**17]),
)
@settings(max_examples=250, deadline=None)
def test_the_kernel_gives_the_codes_of_the_reference(
    numbers: Any,
    seed: int,
    layer: dict[str, Any],
    bits: int,
    with_bias: bool,
    with_residual: bool,
    chunk: int,
) -> None:
    rng = np.random.default_rng(seed)
    x, weight = numbers.codes(rng, layer["x"], bits), draw_weight(rng, layer["weight"])
    bias = rng.integers(-(2**30), 2**30, len(weight)) >> int(rng.integers(0, 31)) if with_bias else None
    bound = conv.accumulator_bound(weight, bias, bits=bits)
    m, k = numbers.multipliers(rng, int(bound.max()), (len(weight),))
    lo, hi = code_range(bits)
    lo = int(rng.choice([lo, 0]))
    acc = conv.accumulate(x, weight, **layer["layout"])
    residual = residual_m = None
    if with_residual:
        residual = numbers.codes(rng, acc.shape, bits)
        residual_m = rng.integers(0, 2**34, len(weight)) >> int(rng.integers(0, 34))
        assert conv.residual_fits(m, k, bound, residual_m, bits=bits)
    expected = conv.reference(
        x, weight, bias, m, k, lo=lo, hi=hi, residual=residual, residual_m=residual_m, **layer["layout"]
    )
    tensors = {
        "x": numbers.tensor(rng, x),
        "weight": numbers.tensor(rng, weight),
        "bias": None if bias is None else torch.from_numpy(bias).double(),
    }
    plan = conv.plan(weight, bits=bits)
    with mock.patch.object(weighted_sum, "_CHUNK", chunk):
        codes = conv.kernel(
            **tensors,
            rescale=Rescale.of(m, k),
            plan=plan,
            lo=lo,
            hi=hi,
            residual=None if residual is None else numbers.tensor(rng, residual),
            residual_m=None if residual_m is None else torch.from_numpy(residual_m).double(),
            **layer["layout"],
        )
    numbers.assert_equal(codes, expected)
    sums = conv.accumulate_kernel(**tensors, plan=plan, **layer["layout"])
    assert sums.dtype == torch.float64
    np.testing.assert_array_equal(sums.numpy(), acc + (0 if bias is None else bias[:, None, None]))


def test_the_reference_is_the_definition_in_plain_integers(numbers: Any) -> None:
    rng = np.random.default_rng(1)
    x, weight = rng.integers(-128, 128, (2, 4, 5, 6)), rng.integers(-127, 128, (6, 2, 3, 2))
    bias, residual = rng.integers(-5000, 5000, 6), rng.integers(-128, 128, (2, 6, 3, 4))
    m, k, residual_m = rng.integers(2**14, 2**15, 6), rng.integers(22, 26, 6), rng.integers(0, 2**24, 6)
    y = conv.reference(
        x,
        weight,
        bias,
        m,
        k,
        stride=(2, 2),
        padding=(2, 1),
        dilation=(2, 1),
        groups=2,
        lo=-100,
        hi=90,
        residual=residual,
        residual_m=residual_m,
    )
    assert y.shape == (2, 6, 3, 4)
    for b, o, i, j in np.ndindex(y.shape):
        acc = int(bias[o])
        for c, u, v in np.ndindex(2, 3, 2):
            row, column = 2 * i - 2 + 2 * u, 2 * j - 1 + v
            if 0 <= row < 5 and 0 <= column < 6:
                acc += int(x[b, (o // 3) * 2 + c, row, column]) * int(weight[o, c, u, v])
        total = acc * int(m[o]) + int(residual[b, o, i, j]) * int(residual_m[o])
        assert y[b, o, i, j] == numbers.round_shift(total, int(k[o]), -100, 90)
    assert len(np.unique(y)) > 50


@pytest.mark.parametrize("bits", [8, 16])
def test_plain_float32_would_be_wrong_where_the_plan_is_right(numbers: Any, bits: int) -> None:
    rng = np.random.default_rng(2)
    hi = code_range(bits)[1]
    channels = 4096 if bits == 8 else 256
    # All of one sign, so that partial sums pass 2^24, where float32 has only even integers.
    x = rng.integers(hi // 2, hi + 1, (1, channels, 6, 6))
    weight = rng.integers(60, 128, (8, channels, 1, 1))
    m, k = np.full(8, 2**14), np.full(8, 14)
    plan = conv.plan(weight, bits=bits)
    assert plan.digits == DigitPlan(count=2, width=bits // 2)
    tensor, codes = torch.from_numpy(x).float(), torch.from_numpy(weight).float()
    acc = conv.accumulate(x, weight)
    plain = F.conv2d(tensor, codes)
    assert (plain.numpy().astype(np.int64) != acc).any()
    np.testing.assert_array_equal(conv.accumulate_kernel(tensor, codes, None, plan=plan).numpy(), acc)
    # At this shift one unit of the accumulator is one code: centred, wrong sums would be wrong codes.
    bias = -np.median(acc, axis=(0, 2, 3)).astype(np.int64)
    expected = conv.reference(x, weight, bias, m, k, lo=-32768, hi=32767)
    result = conv.kernel(
        tensor, codes, torch.from_numpy(bias).double(), Rescale.of(m, k), plan=plan, lo=-32768, hi=32767
    )
    numbers.assert_equal(result, expected)
    plan = conv.ConvPlan(DigitPlan(count=1, width=bits))
    wrong = conv.kernel(
        tensor, codes, torch.from_numpy(bias).double(), Rescale.of(m, k), plan=plan, lo=-32768, hi=32767
    )
    assert (wrong.numpy() != expected).any()


def test_digits_fit_into_the_significand_of_gpu_convolutions() -> None:
    # Sums of one weight would be exact in float32, but int16 codes are not in TF32.
    assert conv.plan(np.ones((4, 1, 1, 1), dtype=np.int64), bits=16).digits == DigitPlan(count=2, width=8)
    assert conv.plan(np.ones((4, 1, 1, 1), dtype=np.int64), bits=8).digits.count == 1


def test_sums_beyond_all_digits_are_computed_in_float64(numbers: Any) -> None:
    rng = np.random.default_rng(3)
    x, weight = rng.integers(0, 128, (1, 9500, 2, 4)), np.full((2, 9500, 2, 4), 127)
    conv.check_accumulator("a", weight, None, bits=8)
    plan = conv.plan(weight, bits=8)
    assert plan.digits.double
    m, k = np.array([2**14, 2**15 - 1]), np.array([30, 31])
    expected = conv.reference(x, weight, None, m, k, lo=-128, hi=127)
    result = conv.kernel(
        torch.from_numpy(x).float(),
        torch.from_numpy(weight).float(),
        None,
        Rescale.of(m, k),
        plan=plan,
        lo=-128,
        hi=127,
    )
    numbers.assert_equal(result, expected)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_linear_layer_is_a_convolution_of_one_pixel(numbers: Any, bits: int) -> None:
    rng = np.random.default_rng(4)
    lo, hi = code_range(bits)
    x, weight = rng.integers(lo, hi + 1, (5, 70)), rng.integers(-127, 128, (30, 70))
    bias = rng.integers(-(2**16), 2**16, 30)
    m, k = numbers.multipliers(rng, 2 ** (bits + 10), (30,))
    totals = (x @ weight.T + bias) * m
    expected = [
        [numbers.round_shift(int(total), int(k[o]), lo, hi) for o, total in enumerate(row)] for row in totals
    ]
    result = conv.kernel(
        torch.from_numpy(x).float()[:, :, None, None],
        torch.from_numpy(weight).float()[:, :, None, None],
        torch.from_numpy(bias).double(),
        Rescale.of(m, k),
        plan=conv.plan(weight[:, :, None, None], bits=bits),
        lo=lo,
        hi=hi,
    )
    numbers.assert_equal(result, np.array(expected)[:, :, None, None])


def test_a_whole_layer_in_both_layouts_spans_many_chunks(numbers: Any) -> None:
    rng = np.random.default_rng(5)
    x, weight = rng.integers(-128, 128, (2, 16, 90, 120)), rng.integers(-127, 128, (40, 16, 3, 3))
    bias = rng.integers(-(2**14), 2**14, 40)
    m, k = rng.integers(2**14, 2**15, 40), rng.integers(24, 27, 40)
    expected = conv.reference(x, weight, bias, m, k, padding=1, lo=0, hi=127)
    for layout in (torch.contiguous_format, torch.channels_last):
        result = conv.kernel(
            torch.from_numpy(x).float().contiguous(memory_format=layout),
            torch.from_numpy(weight).float(),
            torch.from_numpy(bias).double(),
            Rescale.of(m, k),
            plan=conv.plan(weight, bits=8),
            padding=1,
            lo=0,
            hi=127,
        )
        assert result.is_contiguous(memory_format=layout)
        numbers.assert_equal(result, expected)


def test_codes_are_within_half_a_step_of_the_real_convolution() -> None:
    rng = np.random.default_rng(6)
    x, weight = rng.integers(-128, 128, (1, 12, 20, 20)), rng.integers(-127, 128, (8, 12, 3, 3))
    m, k = rng.integers(2**14, 2**15, 8), np.full(8, 26)
    in_scale, out_scale = 0.03, 0.11
    # Snapped: the weight's scale makes in_scale * weight_scale / out_scale what m and k say.
    weight_scale = torch.from_numpy(m * 2.0**-k * out_scale / in_scale)
    bias = rng.integers(-3000, 3000, 8)
    real = F.conv2d(
        torch.from_numpy(x).double() * in_scale,
        torch.from_numpy(weight).double() * weight_scale[:, None, None, None],
        torch.from_numpy(bias).double() * weight_scale * in_scale,
        padding=1,
    )
    codes = conv.reference(x, weight, bias, m, k, padding=1, lo=-128, hi=127)
    error = np.abs(codes * out_scale - real.numpy())[np.abs(codes) < 127]
    assert error.size > 1000
    assert error.max() <= out_scale / 2 * (1 + 1e-9)
    assert error.max() > out_scale * 0.49


def test_mixed_precision_does_not_reach_the_integers(numbers: Any) -> None:
    rng = np.random.default_rng(7)
    x, weight = rng.integers(-128, 128, (1, 32, 8, 8)), rng.integers(-127, 128, (8, 32, 3, 3))
    plan = conv.plan(weight, bits=8)
    tensors = torch.from_numpy(x).float(), torch.from_numpy(weight).float()
    acc = conv.accumulate(x, weight)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (F.conv2d(*tensors).float().numpy() != acc).any()
        np.testing.assert_array_equal(conv.accumulate_kernel(*tensors, None, plan=plan).numpy(), acc)


@pytest.mark.parametrize("width", [1, 2, 3])
def test_one_channel_in_either_order_of_memory(width: int) -> None:
    """oneDNN has wrong sums for one channel as the innermost, several samples and one column of results."""
    rng = np.random.default_rng(width)
    x, weight = rng.integers(-128, 128, (3, 1, 40, width)), rng.integers(-127, 128, (8, 1, 2, 3))
    window: dict[str, Any] = {"stride": (1, 2), "padding": (0, 0 if width == 3 else 1)}
    expected = conv.accumulate(x, weight, **window)
    assert expected.shape[3] == 1
    innermost = torch.empty_strided(x.shape, (40 * width, 1, width, 1)).copy_(torch.from_numpy(x))
    plan = conv.plan(weight, bits=8)
    found = conv.accumulate_kernel(innermost, torch.from_numpy(weight).float(), None, plan=plan, **window)
    assert np.array_equal(found.numpy(), expected)
