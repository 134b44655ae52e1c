"""Each block against its formula."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from runtime.models.blocks import (
    Add,
    BinAvgPool,
    Concat,
    ConvBNAct,
    Resize,
    SeparableConv,
    SqueezeExcite,
    ViewSum,
    make_activation,
)
from runtime.models.blocks.avg_pool import bin_kernel


@pytest.mark.parametrize("kernel_size", [1, 3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [7, 8])
def test_convolution_gives_ceil_of_size_over_stride(kernel_size: int, stride: int, size: int) -> None:
    conv = ConvBNAct(in_channels=2, out_channels=3, kernel_size=kernel_size, stride=stride)
    assert conv(torch.randn(1, 2, size, size)).shape == (1, 3, -(-size // stride), -(-size // stride))


def test_convolution_passes_bn_kwargs_and_has_a_bias_only_without_bn() -> None:
    with_bn = ConvBNAct(in_channels=1, out_channels=1, bn_kwargs={"eps": 2e-5, "momentum": 0.3})
    assert with_bn.bn is not None
    assert (with_bn.bn.eps, with_bn.bn.momentum, with_bn.conv.bias) == (2e-5, 0.3, None)
    without = ConvBNAct(in_channels=1, out_channels=1, batch_norm=False, activation=None)
    assert without.conv.bias is not None
    assert [name for name, _ in without.named_children()] == ["conv"]


def test_even_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="kernel_size is 2, expected an odd number"):
        ConvBNAct(in_channels=1, out_channels=1, kernel_size=2)


def test_activations() -> None:
    x = torch.tensor([-1.0, 3.0, 8.0])
    assert make_activation("relu")(x.clone()).tolist() == [0.0, 3.0, 8.0]
    assert make_activation("relu6")(x.clone()).tolist() == [0.0, 3.0, 6.0]
    torch.testing.assert_close(make_activation("swish")(x.clone()), x / (1 + torch.exp(-x)))
    with pytest.raises(
        ValueError, match=r"activation is 'gelu', expected one of \('relu', 'relu6', 'swish'\)"
    ):
        make_activation("gelu")  # type: ignore[arg-type]


def test_add_sums_and_broadcasts_nothing() -> None:
    x, y = torch.tensor([[1.0, -5.0]]), torch.tensor([[2.0, 1.0]])
    assert Add()(x, y, y).tolist() == [[5.0, -3.0]]
    assert Add(activation="relu")(x, y).tolist() == [[3.0, 0.0]]
    with pytest.raises(ValueError, match=r"maps of one shape, got \[\(1, 2\), \(1, 1\)\]"):
        Add()(x, x[:, :1])
    with pytest.raises(ValueError, match="two or more maps"):
        Add()(x)


def test_concat_joins_channels() -> None:
    assert Concat()(torch.zeros(2, 3, 4, 5), torch.zeros(2, 1, 4, 5)).shape == (2, 4, 4, 5)


def test_bilinear_resize_keeps_the_outer_edges_in_place() -> None:
    # Centres of the doubled map lie a quarter pixel beside those of the map.
    up = Resize(mode="bilinear")(torch.tensor([[[[0.0, 4.0]]]]), (1, 4))
    assert up.flatten().tolist() == [0.0, 1.0, 3.0, 4.0]


def test_nearest_resize_repeats_pixels_and_same_size_is_free() -> None:
    x = torch.tensor([[[[1.0, 2.0]]]])
    assert Resize(mode="nearest")(x, (1, 4)).flatten().tolist() == [1.0, 1.0, 2.0, 2.0]
    assert Resize(mode="bilinear")(x, (1, 2)) is x
    with pytest.raises(ValueError, match="'cubic'"):
        Resize(mode="cubic")  # type: ignore[arg-type]


@pytest.mark.parametrize("size", range(1, 35))
@pytest.mark.parametrize("bins", [1, 2, 4, 8])
def test_bins_have_one_kernel_and_leave_no_pixel_out(size: int, bins: int) -> None:
    bins = min(bins, size)
    kernel, stride = bin_kernel(size, bins)
    starts = [index * stride for index in range(bins)]
    assert (size - kernel) // stride + 1 == bins  # what avg_pool gives
    assert {pixel for start in starts for pixel in range(start, start + kernel)} == set(range(size))


def test_bin_pool_is_adaptive_pooling_where_bins_divide_the_size() -> None:
    x = torch.randn(2, 3, 16, 32)
    for bins in (1, 2, 4, 8):
        torch.testing.assert_close(BinAvgPool(bins=bins)(x), F.adaptive_avg_pool2d(x, bins))
    assert BinAvgPool(bins=8)(x[:, :, :3]).shape == (2, 3, 3, 8)


def test_separable_convolution_has_the_parameters_of_its_two_parts() -> None:
    block = SeparableConv(in_channels=8, out_channels=12)
    assert sum(p.numel() for p in block.parameters()) == (8 * 9 + 2 * 8) + (8 * 12 + 2 * 12)
    plain = SeparableConv(
        in_channels=8, out_channels=12, depthwise_batch_norm=False, depthwise_activation=None, activation=None
    )
    assert sum(p.numel() for p in plain.parameters()) == (8 * 9 + 8) + (8 * 12 + 2 * 12)
    assert (plain(torch.randn(2, 8, 5, 5)) < 0).any()
    assert (block(torch.randn(2, 8, 5, 5)) >= 0).all()


def test_squeeze_excite_gates_channels_by_their_means() -> None:
    block = SqueezeExcite(channels=3, squeezed_channels=2, activation="relu")
    x = torch.randn(2, 3, 4, 5)
    mean = x.mean((2, 3))
    reduce, expand = block.reduce.conv, block.expand.conv
    hidden = F.relu(F.linear(mean, reduce.weight.flatten(1), reduce.bias))
    gate = torch.sigmoid(F.linear(hidden, expand.weight.flatten(1), expand.bias))
    torch.testing.assert_close(block(x), x * gate[:, :, None, None])


def test_view_sum_adds_the_views_of_each_sample() -> None:
    x = torch.arange(12.0).view(12, 1, 1, 1)
    assert ViewSum(num_views=6)(x).flatten().tolist() == [15.0, 51.0]
