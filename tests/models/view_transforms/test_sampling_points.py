"""The fixed-point grid and the geometry behind it."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.geometry.bev_grid import BevGrid
from runtime.geometry.camera import project
from runtime.models.view_transforms.sampling_points import (
    MIN_DEPTH,
    fraction_bits,
    ground_points,
    point_codes,
    point_scale,
    resampling_points,
)


@pytest.mark.parametrize(
    ("height", "width", "bits"),
    [
        (64, 120, 8),
        (24, 64, 8),
        (1, 1, 8),
        (126, 126, 8),  # 126 + 2 = 2^7
        (127, 100, 7),
        (128, 240, 7),
        (254, 300, 6),
        (16382, 10, 1),
        (32766, 10, 0),
    ],
)
def test_fraction_bits(height: int, width: int, bits: int) -> None:
    assert fraction_bits(height, width) == bits
    assert point_scale(height, width) == 2.0**-bits


@pytest.mark.parametrize(("height", "width"), [(64, 120), (127, 100), (1, 1), (32766, 3)])
def test_codes_reach_from_just_outside_to_just_outside(height: int, width: int) -> None:
    scale = point_scale(height, width)
    corners = np.array([[-9e9, -9e9], [9e9, 9e9], [np.nan, np.inf], [-np.inf, 0]])
    codes = point_codes(corners, height, width, scale)
    assert codes.dtype == np.int16
    assert (codes * scale).tolist() == [[-1, -1], [width, height], [-1, height], [-1, 0]]


def test_quantised_points_are_within_half_a_step() -> None:
    points = np.random.default_rng(0).uniform(-1, 64, (5000, 2))
    scale = point_scale(64, 120)
    error = point_codes(points, 64, 120, scale) * scale - points
    assert np.abs(error).max() <= scale / 2
    assert np.abs(error).max() > 0.49 * scale
    # Half up, as everywhere in the arithmetic.
    halves = np.array([[0.5, -0.5], [1.5, 2.5]]) * scale
    assert point_codes(halves, 64, 120, scale).tolist() == [[1, 0], [2, 3]]


def test_a_map_too_long_for_the_step_is_an_error() -> None:
    with pytest.raises(
        ValueError, match=r"grid_quant_scale is 0.00390625: int16 reaches pixel 127.996 of a map of 128"
    ):
        point_codes(np.zeros((1, 2)), 128, 100, 2.0**-8)
    with pytest.raises(ValueError, match="a map of 0 x 5 pixels"):
        fraction_bits(0, 5)
    with pytest.raises(ValueError, match="no int16 coordinates"):
        fraction_bits(10, 2**15)


@pytest.mark.parametrize("stride", [1, 4, 8])
def test_ground_points_are_the_projections_of_the_cell_centres(ring, stride: int) -> None:
    grid = BevGrid(16.0, 24.0, 2.0)
    ego2img = ring(64, 160).numpy()
    points = ground_points(ego2img, grid, stride=stride)
    assert points.shape == (6, 16, 24, 2)
    centres = np.concatenate([grid.centres().reshape(-1, 2), np.zeros((16 * 24, 1))], axis=1)
    for view in range(6):
        uv, depth = project(centres, ego2img[view])
        expected = (uv + 0.5) / stride - 0.5
        expected[depth <= MIN_DEPTH] = -1
        np.testing.assert_allclose(points[view].reshape(-1, 2), expected, rtol=1e-9, atol=1e-9)
        assert 0 < (depth <= MIN_DEPTH).sum() < len(depth)


def test_resampling_points_meet_cells_of_the_same_place() -> None:
    source, target = BevGrid(51.2, 51.2, 0.8), BevGrid(15.0, 30.0, 0.15)
    points = resampling_points(source, source.shape, target)
    assert points.shape == (200, 400, 2)
    # Cell (0, 0) of the target lies at x = -29.925, y = -14.925: (-29.925 + 51.2) / 0.8 - 0.5.
    np.testing.assert_allclose(points[0, 0], [26.09375, 44.84375])
    # The same place on a map of half as many pixels, edges in common.
    half = resampling_points(source, (64, 64), target)
    np.testing.assert_allclose(half, (points + 0.5) / 2 - 0.5)
    np.testing.assert_allclose(resampling_points(source, source.shape, source)[3, 5], [5, 3], atol=1e-9)
