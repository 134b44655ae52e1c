"""Overlap of rotated boxes against shapely and against cases known by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon
from torch import Tensor

from runtime.geometry.rotated_iou import ground_polygons, paired_rotated_iou, polygon_area, rotated_iou


def box(x: float, y: float, width: float, length: float, yaw: float) -> list[float]:
    return [x, y, 0.3, width, length, 1.5, yaw, 0.0, 0.0]


def random_boxes(seed: int, count: int) -> Tensor:
    rng = np.random.default_rng(seed)
    rows = [box(*rng.normal(0, 3, 2), *rng.uniform(0.2, 9, 2), rng.uniform(-7, 7)) for _ in range(count)]
    return torch.tensor(rows, dtype=torch.float64)


def shapely_iou(a: Tensor, b: Tensor) -> float:
    first, second = (Polygon(ground_polygons(row[None])[0].numpy()) for row in (a, b))
    # Without a grid to snap to, GEOS answers 0 for some boxes whose edges lie on one line up to rounding.
    shared = shapely.intersection(first, second, grid_size=1e-10).area
    return shared / (first.area + second.area - shared)


@pytest.mark.parametrize("seed", range(3))
def test_equals_shapely_on_random_boxes(seed: int) -> None:
    a, b = random_boxes(seed, 40), random_boxes(seed + 100, 30)
    expected = [[shapely_iou(x, y) for y in b] for x in a]
    found = rotated_iou(a, b).numpy()
    assert (found > 0.05).sum() > 100
    np.testing.assert_allclose(found, expected, atol=1e-9)


# Few values each, so that edges coincide, corners touch and boxes contain each other.
PLACES = st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0, 2.0])
SIDES = st.sampled_from([1.0, 2.0, 4.0])
TURNS = st.sampled_from([i * math.pi / 4 for i in range(-4, 5)] + [1e-9, math.pi / 2 + 1e-12])
BOXES = st.builds(box, PLACES, PLACES, SIDES, SIDES, TURNS)


@settings(max_examples=300, deadline=None)
@given(a=BOXES, b=BOXES)
def test_equals_shapely_on_degenerate_pairs(a: list[float], b: list[float]) -> None:
    first, second = torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64)
    found = float(paired_rotated_iou(first[None], second[None]))
    assert found == pytest.approx(shapely_iou(first, second), abs=1e-8)


def test_far_from_the_origin_no_digits_are_lost() -> None:
    a, b = random_boxes(0, 20), random_boxes(1, 20)
    shift = torch.zeros(9, dtype=torch.float64)
    shift[:2] = 2.0**20
    torch.testing.assert_close(rotated_iou(a + shift, b + shift), rotated_iou(a, b), atol=1e-7, rtol=0)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (box(0, 0, 2, 4, 0.3), box(0, 0, 2, 4, 0.3), 1.0),
        (box(0, 0, 2, 4, 0.3), box(0, 0, 2, 4, 0.3 + math.pi), 1.0),
        (box(0, 0, 2, 4, 0), box(4, 0, 2, 4, 0), 0.0),  # a common edge
        (box(0, 0, 2, 4, 0), box(2, 0, 2, 4, 0), 1 / 3),
        (box(0, 0, 2, 4, 0), box(0, 0, 1, 2, 0), 0.25),  # one inside the other
        (box(0, 0, 2, 2, 0), box(0, 0, 2, 2, math.pi / 4), 1 / math.sqrt(2)),  # an octagon
        (box(0, 0, 2, 4, 0), box(0, 0, 2, 4, math.pi / 2), 4 / 12),
        (box(0, 0, 2, 4, 0), box(9, 9, 2, 4, 0), 0.0),
        (box(0, 0, 0, 4, 0), box(0, 0, 2, 4, 0), 0.0),  # no area
        (box(0, 0, 0, 0, 0), box(0, 0, 0, 0, 0), 0.0),
    ],
)
def test_known_values(a: list[float], b: list[float], expected: float) -> None:
    first, second = torch.tensor([a], dtype=torch.float64), torch.tensor([b], dtype=torch.float64)
    assert float(rotated_iou(first, second)) == pytest.approx(expected, abs=1e-12)
    assert float(rotated_iou(second, first)) == pytest.approx(expected, abs=1e-12)


def test_length_lies_along_the_heading() -> None:
    corners = ground_polygons(torch.tensor([box(1, 2, 2, 4, math.pi / 2)]))
    expected = [[0.0, 4.0], [0.0, 0.0], [2.0, 0.0], [2.0, 4.0]]
    torch.testing.assert_close(corners, torch.tensor([expected], dtype=torch.float64), atol=1e-6, rtol=0)
    assert float(polygon_area(corners)) == pytest.approx(8.0)


def test_no_boxes_and_wrong_shapes() -> None:
    assert rotated_iou(torch.zeros(0, 9), random_boxes(0, 3)).shape == (0, 3)
    assert rotated_iou(random_boxes(0, 3), torch.zeros(0, 9)).shape == (3, 0)
    with pytest.raises(ValueError, match=r"expected boxes \(N, >= 7\), got shape \(2, 5\)"):
        rotated_iou(torch.zeros(2, 5), torch.zeros(2, 9))
