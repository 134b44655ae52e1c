"""Suppression against the plain definition."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from runtime.geometry.nms import circle_nms, rotate_nms
from runtime.geometry.rotated_iou import rotated_iou


def random_scene(seed: int, count: int = 80) -> tuple[Tensor, Tensor]:
    """Crowded boxes with coarse scores, many of them equal."""
    rng = np.random.default_rng(seed)
    boxes = np.zeros((count, 9))
    boxes[:, :2] = rng.uniform(-12, 12, (count, 2))
    boxes[:, 3:6] = rng.uniform(0.5, 5, (count, 3))
    boxes[:, 6] = rng.uniform(-4, 4, count)
    return torch.from_numpy(boxes).float(), torch.from_numpy(np.round(rng.random(count), 1)).float()


def plain(scores: Tensor, suppresses: Callable[[int, int], bool]) -> list[int]:
    """The definition, word by word."""
    kept: list[int] = []
    for index in sorted(range(len(scores)), key=lambda i: (-float(scores[i]), i)):
        if not any(suppresses(better, index) for better in kept):
            kept.append(index)
    return kept


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.4])
def test_rotate_nms_is_the_definition(seed: int, threshold: float) -> None:
    boxes, scores = random_scene(seed)
    iou = rotated_iou(boxes, boxes)
    expected = plain(scores, lambda a, b: bool(iou[a, b] > threshold))
    assert 0 < len(expected) < len(boxes)
    assert rotate_nms(boxes, scores, threshold).tolist() == expected


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("min_radius", [0.175, 4.0, 12.0])
def test_circle_nms_is_the_definition(seed: int, min_radius: float) -> None:
    boxes, scores = random_scene(seed)
    centres = boxes[:, :2].double()
    expected = plain(scores, lambda a, b: float(((centres[a] - centres[b]) ** 2).sum()) <= min_radius)
    assert 0 < len(expected) < len(boxes)
    assert circle_nms(boxes, scores, min_radius).tolist() == expected


def test_a_suppressed_box_suppresses_nothing() -> None:
    boxes = torch.zeros(3, 9)
    boxes[:, 0] = torch.tensor([0.0, 1.9, 3.8])
    boxes[:, 3:6] = 4.0
    scores = torch.tensor([0.9, 0.8, 0.7])
    assert circle_nms(boxes, scores, 4.0).tolist() == [0, 2]
    assert rotate_nms(boxes, scores, 0.2).tolist() == [0, 2]


def test_min_radius_is_compared_with_the_squared_distance() -> None:
    boxes = torch.zeros(2, 9)
    boxes[1, 0] = 3.0
    scores = torch.tensor([0.5, 0.6])
    assert circle_nms(boxes, scores, 8.9).tolist() == [1, 0]
    assert circle_nms(boxes, scores, 9.0).tolist() == [1]


def test_no_boxes() -> None:
    empty = torch.zeros(0, 9), torch.zeros(0)
    assert rotate_nms(*empty, 0.2).tolist() == []
    assert circle_nms(*empty, 4.0).tolist() == []
