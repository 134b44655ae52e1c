"""The detection head."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from runtime.models.heads.center_point import CenterPoint3dHead

TASKS = [["car"], ["truck", "bus"], ["pedestrian"]]
COMMON = {"reg": (2, 2), "height": (1, 2), "dim": (3, 2), "rot": (2, 2), "vel": (2, 2)}


def build(**changes) -> CenterPoint3dHead:
    arguments = {
        "in_channels": 8,
        "tasks": TASKS,
        "common_heads": COMMON,
        "share_conv_channels": 12,
        "head_conv_channels": 6,
    }
    return CenterPoint3dHead(**{**arguments, **changes})


def test_every_task_has_every_quantity_and_a_heatmap_channel_a_class() -> None:
    outputs = build(input_index=1)([torch.zeros(1, 1, 1, 1), torch.randn(2, 8, 7, 5)])
    assert [{name: tuple(x.shape) for name, x in task.items()} for task in outputs] == [
        {
            "reg": (2, 2, 7, 5),
            "height": (2, 1, 7, 5),
            "dim": (2, 3, 7, 5),
            "rot": (2, 2, 7, 5),
            "vel": (2, 2, 7, 5),
            "heatmap": (2, len(classes), 7, 5),
        }
        for classes in TASKS
    ]


def test_parameters_are_those_of_separate_branches() -> None:
    branches = [2, 1, 3, 2, 2]
    expected = 8 * 12 * 9 + 2 * 12
    for classes in TASKS:
        for channels in [*branches, len(classes)]:
            expected += (12 * 6 * 9 + 2 * 6) + (6 * channels * 9 + channels)
    assert sum(p.numel() for p in build().parameters()) == expected


def test_stacked_convolution_computes_what_separate_ones_would() -> None:
    head = build().eval()
    for module in head.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    features = [torch.randn(2, 8, 7, 5)]
    shared = head.shared(features[0])
    output = head(features)
    for task, answer in zip(head.tasks, output, strict=True):
        first = task.first
        for number, name in enumerate(answer):
            part = slice(6 * number, 6 * number + 6)
            hidden = F.conv2d(shared, first.conv.weight[part], padding=1)
            norm = first.bn
            hidden = F.relu(
                F.batch_norm(
                    hidden,
                    norm.running_mean[part],
                    norm.running_var[part],
                    norm.weight[part],
                    norm.bias[part],
                )
            )
            last = task.branches[name][-1]
            expected = F.conv2d(hidden, last.weight, last.bias, padding=1)
            torch.testing.assert_close(answer[name], expected, rtol=1e-4, atol=1e-5)


def test_untrained_heatmap_says_one_tenth() -> None:
    head = build()
    for task in head.tasks:
        torch.nn.init.zeros_(task.branches["heatmap"][-1].weight)
    probability = head([torch.randn(1, 8, 4, 4)])[0]["heatmap"].sigmoid()
    torch.testing.assert_close(probability, torch.full_like(probability, 0.1007), rtol=0, atol=1e-4)
    assert head.tasks[0].branches["reg"][-1].bias.abs().max() < 1


def test_branches_of_one_and_of_three_convolutions() -> None:
    head = build(common_heads={"reg": (2, 1), "dim": (3, 3)}, num_heatmap_convs=2, final_kernel=1)
    task = head.tasks[0]
    assert task.first.out_channels == 2 * 6  # `dim` and the heatmap; `reg` reads the shared map
    assert [len(task.branches[name]) for name in ("reg", "dim", "heatmap")] == [1, 2, 1]
    output = head([torch.randn(1, 8, 4, 4)])[0]
    assert {name: x.shape[1:] for name, x in output.items()} == {
        "reg": (2, 4, 4),
        "dim": (3, 4, 4),
        "heatmap": (1, 4, 4),
    }
    single = build(common_heads={"reg": (2, 1)}, num_heatmap_convs=1, share_conv_num=0)
    assert single.tasks[0].first is None
    assert single([torch.randn(1, 8, 4, 4)])[1]["heatmap"].shape == (1, 2, 4, 4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tasks": []}, "expected class names for each task"),
        ({"tasks": [["car"], []]}, r"tasks is \[\['car'\], \[\]\]"),
        ({"common_heads": {"heatmap": (1, 2)}}, "common_heads has `heatmap`"),
        ({"common_heads": {"reg": (2, 0)}}, "branch `reg` has 0 convolutions"),
    ],
)
def test_impossible_arguments(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(**changes)
