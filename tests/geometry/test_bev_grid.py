"""Which metres a BEV cell stands for."""

import numpy as np
import pytest

from runtime.geometry.bev_grid import BevGrid


def test_shape_and_corner_cells() -> None:
    grid = BevGrid.from_size((15.0, 20.0, 0.5))
    assert grid.shape == (60, 80)
    centres = grid.centres()
    assert centres.shape == (60, 80, 2)
    # Row 0 is the right side, column 0 the back.
    np.testing.assert_allclose(centres[0, 0], [-19.75, -14.75])
    np.testing.assert_allclose(centres[-1, 0], [-19.75, 14.75])
    np.testing.assert_allclose(centres[0, -1], [19.75, -14.75])


def test_reference_sizes_are_whole() -> None:
    assert BevGrid.from_size((51.2, 51.2, 0.8)).shape == (128, 128)
    assert BevGrid.from_size((30.0, 60.0, 0.15)).shape == (400, 800)


def test_centres_are_whole_cell_numbers() -> None:
    grid = BevGrid(4.0, 6.0, 0.8)
    column_row = grid.metres_to_cells(grid.centres())
    rows, columns = grid.shape
    expected = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1)
    np.testing.assert_allclose(column_row, expected, atol=1e-9)


def test_scaled_grid_covers_the_same_ground() -> None:
    grid = BevGrid(32.0, 32.0, 1.0).scaled(2)
    assert grid.shape == (128, 128)
    np.testing.assert_allclose(grid.centres()[0, 0], [-31.75, -31.75])


def test_contains() -> None:
    grid = BevGrid(16.0, 32.0, 1.0)
    points = [[0.0, 0.0], [31.9, 0.0], [32.0, 0.0], [-32.0, -16.0], [0.0, 16.0]]
    assert grid.contains(points).tolist() == [True, True, False, True, False]


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((10.0, 10.0, 0.3), "2 \\* half_y = 20.0 m is 66.6667 cells of 0.3 m, expected a whole number"),
        ((10.0, -1.0, 0.5), "half_x is -1.0, expected a positive number"),
        ((10.0, 10.0, 0.0), "resolution is 0.0, expected a positive number"),
        ((10.0, 10.0), "expected \\(half_y, half_x, metres_per_cell\\), got 2 values"),
    ],
)
def test_impossible_grids_are_refused(size: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BevGrid.from_size(size)
