"""Multiply-accumulates against counts by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from runtime.models.blocks import GridSample, Resize
from runtime.models.operation_count import count_calls, count_operations


def test_convolution_depthwise_and_linear() -> None:
    model = nn.ModuleDict(
        {
            "conv": nn.Conv2d(3, 8, 3, stride=2, padding=1),
            "depthwise": nn.Conv2d(8, 8, 5, padding=2, groups=8, bias=False),
            "grouped": nn.Conv2d(8, 4, 1, groups=2),
            "linear": nn.Linear(4, 10),
            "up": nn.ConvTranspose2d(4, 6, 2, stride=2),
            "norm": nn.BatchNorm2d(8),
        }
    )

    def call() -> None:
        x = model["norm"](model["conv"](torch.zeros(1, 3, 10, 12)))
        x = model["grouped"](model["depthwise"](x))
        model["up"](x)
        model["linear"](x.mean((2, 3)))

    count = count_calls(model, call)
    assert {row.name: (row.parameters, row.macs, row.output_shape) for row in count.rows} == {
        "conv": (3 * 8 * 9 + 8, 5 * 6 * 8 * 3 * 9, (1, 8, 5, 6)),
        "depthwise": (8 * 25, 5 * 6 * 8 * 25, (1, 8, 5, 6)),
        "grouped": (4 * 4 + 4, 5 * 6 * 4 * 4, (1, 4, 5, 6)),
        "linear": (4 * 10 + 10, 40, (1, 10)),
        "up": (4 * 6 * 4 + 6, 5 * 6 * 4 * 6 * 4, (1, 6, 10, 12)),
        "norm": (16, 0, (1, 8, 5, 6)),
    }
    assert count.macs == sum(row.macs for row in count.rows)
    assert count.parameters == sum(p.numel() for p in model.parameters())


def test_sampling_and_resizing_take_four_taps_a_value_and_nearest_none() -> None:
    model = nn.ModuleDict(
        {
            "sample": GridSample(point_scale=1 / 256),
            "bilinear": Resize(mode="bilinear"),
            "nearest": Resize(mode="nearest"),
        }
    )

    def call() -> None:
        x = torch.zeros(2, 3, 4, 5)
        model["sample"](x, torch.zeros(2, 6, 7, 2))
        model["bilinear"](x, (8, 10))
        model["nearest"](x, (8, 10))

    counted = {row.name: row.macs for row in count_calls(model, call).rows}
    assert counted == {"sample": 4 * 2 * 3 * 6 * 7, "bilinear": 4 * 2 * 3 * 8 * 10, "nearest": 0}


def test_a_module_counts_what_is_inside_it_and_nothing_of_its_neighbours() -> None:
    model = nn.ModuleDict({"a": nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4)), "ab": nn.Linear(2, 5)})

    def call() -> None:
        model["a"](torch.zeros(1, 2))
        model["ab"](torch.zeros(1, 2))

    counted = {row.name: row.macs for row in count_calls(model, call).rows}
    assert counted == {"a": 18, "a.0": 6, "a.1": 12, "ab": 10}


def test_hooks_are_gone_afterwards() -> None:
    model = nn.Linear(2, 3)
    with pytest.raises(RuntimeError):
        count_calls(model, lambda: model(torch.zeros(1, 5)))
    assert not model._forward_hooks
    assert not model._forward_pre_hooks


def test_reference_model(reference_model) -> None:
    count = count_operations(reference_model, input_hw=(512, 960))
    rows = {row.name: row for row in count.rows}
    # Six images through the 3x3 stem of stride 2; the view transform's six samplings and its enlargement.
    assert rows["backbone.stem"].macs == 6 * 256 * 480 * 32 * 3 * 9
    assert rows["view_transformer.grid_sample"].macs == 6 * 128 * 128 * 64 * 4
    assert rows["view_transformer.upscale"].macs == 256 * 256 * 64 * 4
    assert rows["bev_decoders.bev_seg.resample"].macs == 200 * 400 * 48 * 4
    assert rows["bev_decoders.bev_det.head.shared"].macs == 128 * 128 * 48 * 48 * 9
    # Published: 385 M multiply-accumulates for EfficientNet-Lite0 at 224 x 224, of which 21 M are its top.
    per_pixel = rows["backbone"].macs / (6 * 512 * 960)
    assert per_pixel * 224 * 224 == pytest.approx(385e6 - 20e6 - 1.28e6, rel=0.03)
    assert count.macs == sum(rows[name].macs for name, _ in reference_model.named_children())
    assert count.parameters == sum(p.numel() for p in reference_model.parameters())
    assert reference_model.training
    assert next(reference_model.parameters()).device.type == "cpu"


def test_size_and_views_scale_what_they_should(make_tiny_model) -> None:
    model = make_tiny_model()
    one = {row.name: row.macs for row in count_operations(model, input_hw=(64, 160)).rows}
    wide = {row.name: row.macs for row in count_operations(model, input_hw=(64, 320)).rows}
    assert wide["backbone"] == 2 * one["backbone"]
    assert wide["bev_encoder"] == one["bev_encoder"]
    assert wide["view_transformer"] == one["view_transformer"]
