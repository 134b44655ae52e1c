"""Detection targets worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from runtime.tasks.detection.target import CenterPoint3dTarget

NAN = float("nan")


def rows(*boxes: list[float]) -> torch.Tensor:
    return torch.tensor(boxes).reshape(-1, 9)


def test_one_car(target_arguments: dict[str, Any]) -> None:
    target = CenterPoint3dTarget(**target_arguments)
    # Column (1.0 + 16) / 0.8 - 0.5 = 20.75, row (-3.0 + 12.8) / 0.8 - 0.5 = 11.75: cell (12, 21).
    car = [1.0, -3.0, 0.7, 2.0, 4.0, 1.5, 0.5, 3.0, -1.0]
    tasks = target([rows(car)], [torch.tensor([0])], (32, 40))
    assert len(tasks) == 6
    first = tasks[0]
    assert first["heatmap"].shape == (1, 1, 32, 40)
    assert first["ind"].shape == first["mask"].shape == (1, 500)
    assert first["ind"].dtype == torch.int64
    assert int(first["ind"][0, 0]) == 12 * 40 + 21
    expected = [
        -0.25,
        -0.25,
        0.7,
        math.log(2),
        math.log(4),
        math.log(1.5),
        math.sin(0.5),
        math.cos(0.5),
        3,
        -1,
    ]
    torch.testing.assert_close(first["anno_box"][0, 0], torch.tensor(expected), atol=1e-5, rtol=0)
    torch.testing.assert_close(first["box_weight"][0, 0], torch.tensor([1.0] * 8 + [0.2] * 2))
    assert first["mask"].sum() == 1
    assert first["box_weight"].sum() == pytest.approx(8.4)
    assert first["heatmap"][0, 0, 12, 21] == 1
    assert (first["heatmap"] == 1).sum() == 1
    # Radius 2, sigma 5 / 6: one cell beside the centre exp(-1 / (2 * 25 / 36)).
    assert float(first["heatmap"][0, 0, 12, 22]) == pytest.approx(math.exp(-0.72))
    assert (first["heatmap"] > 0).sum() == 25
    for other in tasks[1:]:
        assert not other["mask"].any()
        assert (other["heatmap"] == 0).all()


def test_classes_go_to_their_task_and_channel(target_arguments: dict[str, Any]) -> None:
    target = CenterPoint3dTarget(**target_arguments)
    boxes = torch.rand(10, 9) + 1
    boxes[:, 0] = torch.arange(10) * 2.0 - 9
    tasks = target([boxes], [torch.arange(10)], (32, 40))
    peaks = [[int((channel == 1).sum()) for channel in task["heatmap"][0]] for task in tasks]
    assert peaks == [[1], [1, 1], [1, 1], [1], [1, 1], [1, 1]]
    columns = [[int((channel == 1).nonzero()[0, 1]) for channel in task["heatmap"][0]] for task in tasks]
    cell = [round((float(x) + 16) / 0.8 - 0.5) for x in boxes[:, 0]]
    assert columns == [[cell[0]], [cell[1], cell[2]], [cell[3], cell[4]], [cell[5]], cell[6:8], cell[8:10]]


def test_unknown_velocity_has_no_weight_and_a_finite_target(target_arguments: dict[str, Any]) -> None:
    target = CenterPoint3dTarget(**target_arguments)
    boxes = rows(
        [0, 0, 0, 1, 1, 1, 0, NAN, NAN], [5, 5, 0, 1, 1, 1, 0, 1.5, NAN], [9, 9, 0, 1, 1, 1, 0, 0, 2]
    )
    task = target([boxes], [torch.zeros(3, dtype=torch.int64)], (32, 40))[0]
    assert torch.isfinite(task["anno_box"]).all()
    assert task["box_weight"][0, :3, 8:].tolist() == [[0, 0], [0, 0], [pytest.approx(0.2)] * 2]
    assert (task["box_weight"][0, :3, :8] == 1).all()


def test_boxes_off_the_grid_are_left_out(target_arguments: dict[str, Any]) -> None:
    target = CenterPoint3dTarget(**target_arguments)
    edge = rows(
        [-15.99, -12.79, 0, 1, 1, 1, 0, 0, 0],
        [15.99, 12.79, 0, 1, 1, 1, 0, 0, 0],
        [16.01, 0, 0, 1, 1, 1, 0, 0, 0],
        [0, -12.81, 0, 1, 1, 1, 0, 0, 0],
    )
    task = target([edge], [torch.zeros(4, dtype=torch.int64)], (32, 40))[0]
    assert task["ind"][0, task["mask"][0]].tolist() == [0, 32 * 40 - 1]
    assert (task["heatmap"] == 1).sum() == 2


def test_samples_of_a_batch_do_not_mix_and_max_num_cuts_each(target_arguments: dict[str, Any]) -> None:
    target = CenterPoint3dTarget(**target_arguments, max_num=3)
    boxes = torch.rand(5, 9) + 0.5
    boxes[:, 0] = torch.arange(5) * 4.0 - 8
    labels = torch.tensor([0, 5, 0, 0, 0])
    none = torch.zeros(0, 9), torch.zeros(0, dtype=torch.int64)
    tasks = target([boxes, none[0], boxes[:2]], [labels, none[1], labels[:2]], (32, 40))
    assert tasks[0]["mask"].sum(1).tolist() == [3, 0, 1]
    assert tasks[3]["mask"].sum(1).tolist() == [1, 0, 1]
    assert [(heat == 1).sum().item() for heat in tasks[0]["heatmap"]] == [3, 0, 1]
    torch.testing.assert_close(tasks[0]["anno_box"][0, :3, 2], boxes[[0, 2, 3], 2])
    alone = target([boxes[:2]], [labels[:2]], (32, 40))
    for together, single in zip(tasks, alone, strict=True):
        for name in single:
            assert torch.equal(together[name][2:], single[name]), name


def test_overlapping_peaks_keep_the_larger_value(target_arguments: dict[str, Any]) -> None:
    target = CenterPoint3dTarget(**target_arguments)
    boxes = rows([0.4, 0.4, 0, 1, 1, 1, 0, 0, 0], [1.2, 0.4, 0, 1, 1, 1, 0, 0, 0])
    heatmap = target([boxes], [torch.zeros(2, dtype=torch.int64)], (32, 40))[0]["heatmap"][0, 0]
    assert heatmap[16, 19:23].tolist() == pytest.approx([math.exp(-0.72), 1, 1, math.exp(-0.72)])


def test_out_size_factor_makes_larger_cells(target_arguments: dict[str, Any]) -> None:
    target = CenterPoint3dTarget(**target_arguments, out_size_factor=2, norm_bbox=False)
    box = rows([1.0, -3.0, 0.7, 2.0, 4.0, 1.5, 0.5, 3.0, -1.0])
    task = target([box], [torch.tensor([0])], (16, 20))[0]
    # Column 17 / 1.6 - 0.5 = 10.125, row 9.8 / 1.6 - 0.5 = 5.625.
    assert int(task["ind"][0, 0]) == 6 * 20 + 10
    assert task["anno_box"][0, 0, :6].tolist() == pytest.approx([0.125, -0.375, 0.7, 2, 4, 1.5], abs=1e-5)
    with pytest.raises(ValueError, match=r"the feature map has \(32, 40\) cells, the BEV grid \(16, 20\)"):
        target([box], [torch.tensor([0])], (32, 40))


def test_large_boxes_have_wider_peaks(target_arguments: dict[str, Any]) -> None:
    target = CenterPoint3dTarget(**target_arguments, min_radius=0)
    areas = []
    for side in (1.0, 6.0, 12.0):
        box = rows([0.4, 0.4, 0, side, side, 1, 0, 0, 0])
        areas.append(int((target([box], [torch.tensor([0])], (32, 40))[0]["heatmap"] > 0).sum()))
    assert areas[0] == 1
    assert areas[0] < areas[1] < areas[2]


def test_arguments_are_checked(target_arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="`bbox_weight` has 8 values, expected 10"):
        CenterPoint3dTarget(**{**target_arguments, "bbox_weight": [1.0] * 8})
    with pytest.raises(ValueError, match="class `tram` of a task is not one of car, truck"):
        CenterPoint3dTarget(**{**target_arguments, "tasks": [["tram"]]})
    with pytest.raises(ValueError, match="class `car` stands in more than one task"):
        CenterPoint3dTarget(**{**target_arguments, "tasks": [["car"], ["bus", "car"]]})
