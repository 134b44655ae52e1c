import numpy as np
import pytest

from runtime.geometry.bev_grid import BevGrid
from runtime.visualization.bev_panel import BevPanel, panel_for
from runtime.visualization.palette import CLASS_COLORS, MAP_COLORS, PANEL, TRUTH
from runtime.visualization.scene import Boxes

PANEL_10 = BevPanel(half_y=20.0, half_x=30.0, scale=10.0)


def at(image, panel: BevPanel, x: float, y: float) -> list[int]:
    column, row = np.round(panel.pixels(np.array([x, y]))).astype(int)
    return image[row, column].tolist()


def test_forward_is_up_and_left_is_left():
    assert PANEL_10.size == (600, 400)
    assert PANEL_10.pixels(np.array([[30.0, 20.0], [-30.0, -20.0], [0.0, 0.0]])).tolist() == [
        [-0.5, -0.5],
        [399.5, 599.5],
        [199.5, 299.5],
    ]


def test_a_panel_holds_both_grids():
    panel = panel_for((51.2, 51.2, 0.8), (15.0, 60.0, 0.15), 600)
    assert (panel.half_y, panel.half_x, panel.scale) == (51.2, 60.0, 5.0)


@pytest.mark.parametrize("map_size", [(15.0, 20.0, 0.5), (10.0, 30.0, 0.25)])
def test_each_map_cell_is_painted_where_it_lies(map_size):
    grid = BevGrid.from_size(map_size)
    draws = np.random.default_rng(0)
    labels = np.zeros(grid.shape, dtype=np.int64)
    cells = [(draws.integers(1, grid.shape[0] - 1), draws.integers(1, grid.shape[1] - 1)) for _ in range(12)]
    for index, (row, column) in enumerate(cells):
        labels[row, column] = 1 + index % 3
    panel = BevPanel(half_y=20.0, half_x=30.0, scale=20.0)
    image = panel.background()
    panel.draw_map(image, labels, map_size)
    for row, column in cells:
        x, y = grid.centres()[row, column]
        assert at(image, panel, x, y) == list(MAP_COLORS[labels[row, column]])
    assert at(image, panel, 29.9, 19.9) == list(PANEL)
    # Where there is nothing else, the map's region shows how far it reaches, and no farther.
    assert at(image, panel, -map_size[1] + 0.1, -map_size[0] + 0.1) == list(MAP_COLORS[0])
    assert at(image, panel, 0.0, -map_size[0] - 0.2) == list(PANEL)


def test_boxes_lie_where_they_are_and_point_where_they_go():
    box = np.array([[10.0, -5.0, 1.0, 2.0, 6.0, 1.5, np.pi / 6, 0.0, 0.0]])
    image = PANEL_10.background()
    PANEL_10.draw_boxes(image, Boxes(box, np.array([0])))
    forward, left = (
        np.array([np.cos(np.pi / 6), np.sin(np.pi / 6)]),
        np.array([-np.sin(np.pi / 6), np.cos(np.pi / 6)]),
    )
    centre = box[0, :2]
    tint = [0.65 * below + 0.35 * color for below, color in zip(PANEL, CLASS_COLORS[0], strict=True)]
    assert at(image, PANEL_10, *centre) == pytest.approx(tint, abs=2)
    assert at(image, PANEL_10, *(centre + 3 * forward)) == pytest.approx(CLASS_COLORS[0], abs=30)
    assert at(image, PANEL_10, *(centre + 1.3 * left)) == list(PANEL)
    # The front edge is thick: 0.1 m outside of it there is still colour, behind the back edge there is none.
    assert at(image, PANEL_10, *(centre + 3.1 * forward)) != list(PANEL)
    assert at(image, PANEL_10, *(centre - 3.25 * forward)) == list(PANEL)


def test_velocity_is_the_way_of_one_second_and_unknown_is_none():
    values = np.array(
        [
            [0.0, -10.0, 1.0, 1.0, 1.0, 1.0, 0.0, 8.0, 0.0],
            [0.0, 10.0, 1.0, 1.0, 1.0, 1.0, 0.0, np.nan, np.nan],
        ]
    )
    image = PANEL_10.background()
    PANEL_10.draw_boxes(image, Boxes(values, np.array([8, 8])))
    assert at(image, PANEL_10, 7.5, -10.0) != list(PANEL)
    assert at(image, PANEL_10, 8.6, -10.0) == list(PANEL)
    assert at(image, PANEL_10, 4.0, 10.0) == list(PANEL)


def test_truth_is_outlined_in_white():
    image = PANEL_10.background()
    PANEL_10.draw_truth(
        image, Boxes(np.array([[0.0, 0.0, 1.0, 4.0, 8.0, 1.0, 0.0, 0.0, 0.0]]), np.array([0]))
    )
    assert at(image, PANEL_10, 4.0, 2.0) == pytest.approx(TRUTH, abs=130)
    assert at(image, PANEL_10, 0.0, 0.0) == list(PANEL)
    assert image.max() > 200


def test_boxes_outside_the_panel_do_no_harm():
    image = PANEL_10.background()
    PANEL_10.draw_boxes(
        image, Boxes(np.array([[100.0, 100.0, 1.0, 2.0, 4.0, 1.0, 0.3, 1.0, 1.0]]), np.array([0]))
    )
    assert (image == PANEL).all()
