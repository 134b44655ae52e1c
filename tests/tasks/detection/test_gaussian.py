"""Radius and shape of heatmap peaks."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from runtime.tasks.detection.gaussian import draw_gaussians, gaussian_radius

SIDES = st.floats(0.3, 60)


def overlaps(height: float, width: float, radius: float) -> list[float]:
    """IoU with a box whose corners moved by `radius`: both the same way, both inwards, both outwards."""
    area = height * width
    shared = max(0.0, height - radius) * max(0.0, width - radius)
    return [
        shared / (2 * area - shared),
        max(0.0, height - 2 * radius) * max(0.0, width - 2 * radius) / area,
        area / ((height + 2 * radius) * (width + 2 * radius)),
    ]


@given(height=SIDES, width=SIDES, overlap=st.floats(0.05, 0.95))
def test_the_tightest_case_has_exactly_the_overlap(height: float, width: float, overlap: float) -> None:
    sides = torch.tensor([height, width], dtype=torch.float64)
    radius = float(gaussian_radius(sides[:1], sides[1:], overlap))
    assert radius > 0
    assert min(overlaps(height, width, radius)) == pytest.approx(overlap, rel=1e-9)


def test_overlap_must_be_a_fraction() -> None:
    with pytest.raises(ValueError, match=r"the overlap is 1\.0"):
        gaussian_radius(torch.ones(1), torch.ones(1), 1.0)


def test_drawing_is_the_formula_cut_to_a_square_with_the_larger_value_kept() -> None:
    peaks = [(0, 3, 4, 2), (0, 4, 5, 1), (1, 0, 7, 3), (1, 9, 0, 2), (0, 3, 4, 2)]
    heatmap = torch.zeros(2, 10, 8)
    channel, row, column, radius = torch.tensor(peaks).T
    draw_gaussians(heatmap, channel, row, column, radius)
    expected = torch.zeros(2, 10, 8)
    for c, y, x, r in peaks:
        sigma = (2 * r + 1) / 6
        for i in range(max(0, y - r), min(10, y + r + 1)):
            for j in range(max(0, x - r), min(8, x + r + 1)):
                value = math.exp(-((i - y) ** 2 + (j - x) ** 2) / (2 * sigma**2))
                expected[c, i, j] = max(float(expected[c, i, j]), value)
    torch.testing.assert_close(heatmap, expected)
    assert (heatmap == 1).sum() == 4


def test_no_peaks_leave_the_map_empty() -> None:
    heatmap = torch.zeros(1, 3, 3)
    none = torch.zeros(0, dtype=torch.int64)
    draw_gaussians(heatmap, none, none, none, none)
    assert (heatmap == 0).all()
