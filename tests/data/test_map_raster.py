"""Rasterised map lines against the distance of every cell centre to every line, computed directly."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from runtime.data.map_raster import check_line_width, line_mask, rasterize_map
from runtime.errors import RunError
from runtime.geometry.bev_grid import BevGrid

GRIDS = [(15, 30, 0.15), (15, 20, 0.5), (30, 30, 0.3)]


def distances(lines: list[NDArray[np.float64]], grid: BevGrid) -> NDArray[np.float64]:
    """Metres (h, w) from each cell centre to the nearest line."""
    centres = grid.centres()
    nearest = np.full(grid.shape, np.inf)
    for line in lines:
        for a, b in pairwise(line):
            along = b - a
            t = np.clip(((centres - a) @ along) / max(along @ along, 1e-30), 0, 1)
            nearest = np.minimum(nearest, np.linalg.norm(centres - a - t[..., None] * along, axis=-1))
    return nearest


def random_lines(seed: int, count: int = 12) -> list[NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    return [
        np.cumsum(rng.normal(0, 3, (rng.integers(2, 20), 2)), axis=0) + rng.uniform(-25, 25, 2)
        for _ in range(count)
    ]


@pytest.mark.parametrize("size", GRIDS)
@pytest.mark.parametrize("width", [0.5, 0.75, 1.3])
def test_mask_is_every_cell_within_half_the_width(size: tuple[float, float, float], width: float):
    grid = BevGrid.from_size(size)
    special = [
        np.array([[-40.0, 2.1], [40.0, 2.1]]),  # straight through, along the rows
        np.array([[3.03, -40.0], [3.03, 0.0], [3.03, 40.0]]),  # along the columns
        np.array([[1.0, 1.0], [1.0, 1.0]]),  # no length: a disc
        np.array([[5.0, 5.0]]),  # no piece at all
        np.array([[-14.99, -29.99], [-15.2, -31.0]]),  # leaves the grid
        np.array([[500.0, 500.0], [510.0, 500.0]]),  # far away
        np.zeros((0, 2)),
    ]
    for lines in (random_lines(1), special):
        nearest = distances(lines, grid)
        clear = np.abs(nearest - width / 2) > 1e-6
        np.testing.assert_array_equal(line_mask(lines, grid, width)[clear], (nearest <= width / 2)[clear])


def test_a_straight_line_is_as_many_cells_wide_as_its_width_says():
    grid = BevGrid(15, 30, 0.15)
    centre_of_row_60 = grid.centres()[60, 0, 1]
    mask = line_mask([np.array([[-40.0, centre_of_row_60], [40.0, centre_of_row_60]])], grid, 0.75)
    assert mask[58:63].all() and mask.sum() == 5 * grid.shape[1]


def test_boundary_covers_crossing_covers_divider():
    grid = BevGrid(15, 20, 0.5)
    along = np.array([[-20.0, 0.25], [20.0, 0.25]])
    across = np.array([[0.25, -15.0], [0.25, 15.0]])
    row, column = 30, 40  # the cell at (0.25, 0.25)
    assert rasterize_map({"divider": [along], "ped_crossing": [across]}, grid, 0.75)[row, column] == 2
    assert rasterize_map({"boundary": [along], "ped_crossing": [across]}, grid, 0.75)[row, column] == 3
    assert rasterize_map({"boundary": [across], "divider": [along]}, grid, 0.75)[row, column] == 3
    labels = rasterize_map({"divider": [along]}, grid, 0.75)
    assert labels.dtype == np.int64 and set(np.unique(labels)) == {0, 1}
    # Row 0 is the right side, column 0 the back.
    left_front = rasterize_map({"divider": [np.array([[10.0, 5.0], [10.0, 14.0]])]}, grid, 0.75)
    rows, columns = np.nonzero(left_front)
    assert rows.min() >= 38 and set(columns) == {59, 60}


def test_nothing_to_draw_gives_all_zeros():
    grid = BevGrid(15, 20, 0.5)
    assert not rasterize_map({}, grid, 0.75).any()
    assert not rasterize_map({"divider": [], "boundary": [np.zeros((0, 2))]}, grid, 0.75).any()


def test_lines_thinner_than_a_cell_are_refused():
    with pytest.raises(RunError) as caught:
        check_line_width(0.3, BevGrid(15, 20, 0.5))
    assert str(caught.value) == (
        "error: `line_width` is 0.3 m, thinner than one map cell of 0.5 m: such lines have gaps\n"
        "hint: give a wider line or a finer `map_size`"
    )
    check_line_width(0.5, BevGrid(15, 20, 0.5))
