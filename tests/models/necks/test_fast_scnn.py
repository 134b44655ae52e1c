"""FastSCNNNeck: shapes, wiring, parameters."""

from __future__ import annotations

import pytest
import torch

from runtime.models.interfaces import FeatureInfo
from runtime.models.necks.fast_scnn import FastSCNNNeck, PyramidPooling

B0 = [FeatureInfo(c, s) for c, s in [(16, 2), (24, 4), (40, 8), (112, 16), (320, 32)]]


def maps(height: int, width: int) -> list[torch.Tensor]:
    return [torch.randn(2, c, -(-height // s), -(-width // s), requires_grad=True) for c, s in B0]


def test_reference_gives_64_channels_at_stride_8() -> None:
    neck = FastSCNNNeck(in_channels=[40, 320], feat_channels=[64, 64], indexes=[-3, -1])
    assert neck.output_info(B0) == [(64, 32), (64, 8)]
    outputs = neck(maps(512 // 4, 960 // 4))
    assert [tuple(x.shape) for x in outputs] == [(2, 64, 4, 8), (2, 64, 16, 30)]


def test_three_maps_give_two_fusions_each_with_its_own_width() -> None:
    neck = FastSCNNNeck(in_channels=[24, 112, 320], feat_channels=[8, 16, 32], indexes=[1, 3, 4])
    assert neck.output_info(B0) == [(32, 32), (16, 16), (8, 4)]
    outputs = neck(maps(70, 96))
    assert [tuple(x.shape) for x in outputs] == [(2, 32, 3, 3), (2, 16, 5, 6), (2, 8, 18, 24)]


def test_finest_output_depends_on_the_chosen_maps_only() -> None:
    features = maps(64, 96)
    FastSCNNNeck(in_channels=[40, 320], feat_channels=[8, 8], indexes=[-3, -1])(features)[-1].sum().backward()
    assert [x.grad is not None for x in features] == [False, False, True, False, True]


def test_pyramid_has_a_branch_of_a_quarter_of_the_channels_for_each_bin() -> None:
    pyramid = PyramidPooling(in_channels=320, out_channels=64, bins=(1, 2, 4, 8), bn_kwargs=None)
    branch = 320 * 80 + 2 * 80
    fuse = (320 + 4 * 80) * 64 * 9 + 2 * 64
    assert sum(p.numel() for p in pyramid.parameters()) == 4 * branch + fuse


def test_pyramid_sees_the_whole_map() -> None:
    # With the 3x3 fusion alone a corner would see two pixels far; through the one-bin pool it sees all.
    pyramid = PyramidPooling(in_channels=4, out_channels=2, bins=(1,), bn_kwargs=None).eval()
    x = torch.rand(1, 4, 9, 9, requires_grad=True)
    pyramid.convs[0].conv.weight.data.abs_()
    pyramid.fuse.conv.weight.data.abs_()
    pyramid(x)[0, 0, 0, 0].backward()
    assert x.grad is not None and (x.grad != 0).all()


def test_small_maps_have_no_more_bins_than_pixels() -> None:
    neck = FastSCNNNeck(in_channels=[24, 320], feat_channels=[8, 8], indexes=[-4, -1])
    assert neck(maps(96, 256))[-1].shape == (2, 8, 24, 64)


def test_lists_of_different_length() -> None:
    with pytest.raises(ValueError, match=r"feat_channels \[64\] and indexes \[-3, -1\] must have one entry"):
        FastSCNNNeck(in_channels=[40, 320], feat_channels=[64], indexes=[-3, -1])


def test_channels_of_another_backbone() -> None:
    neck = FastSCNNNeck(in_channels=[40, 512], feat_channels=[64, 64], indexes=[-3, -1])
    with pytest.raises(ValueError, match=r"in_channels is \[40, 512\], the maps \[-3, -1\] have \[40, 320\]"):
        neck.output_info(B0)
