"""Rays against boxes: ranges, occlusion, counts."""

import numpy as np
import pytest

from runtime.data.synthetic.lidar import cast
from runtime.geometry.frames import planar

SENSOR = planar(100.0, 200.0, 0.5, 1.84)


def boxes_at(*rows: tuple[float, ...]) -> np.ndarray:
    """Boxes (x, y, z, w, l, h, yaw) given relative to the sensor's ground point."""
    array = np.array(rows, dtype=float).reshape(-1, 7)
    array[:, :2] += (100.0, 200.0)
    return array


def test_points_lie_on_the_faces_of_the_box() -> None:
    sweep = cast(SENSOR, boxes_at((10.0, 0.0, 1.0, 2.0, 4.0, 2.0, 0.0)), 1, np.random.default_rng(0))
    assert sweep.points.dtype == np.float32 and sweep.points.shape[1] == 5
    world = sweep.points[:, :3] @ SENSOR[:3, :3].T + SENSOR[:3, 3] - (100.0, 200.0, 0.0)
    on_box = world[(np.abs(world[:, 1]) < 1.01) & (np.abs(world[:, 0] - 10) < 2.01) & (world[:, 2] > 0.01)]
    assert len(on_box) == sweep.hits[0] > 100
    # From here only the near side can be hit, and the roof is too high.
    assert (np.abs(on_box[:, 0] - 8.0) < 0.02).mean() > 0.95
    ground = world[world[:, 2] < 0.01]
    assert len(ground) > 300
    np.testing.assert_allclose(ground[:, 2], 0.0, atol=1e-3)


def test_wall_hides_what_is_behind_it() -> None:
    car = (20.0, 0.0, 0.8, 1.9, 4.5, 1.6, 0.3)
    wall = (10.0, 0.0, 2.0, 8.0, 0.4, 4.0, 0.0)
    alone = cast(SENSOR, boxes_at(car), 1, np.random.default_rng(0))
    hidden = cast(SENSOR, boxes_at(car, wall), 1, np.random.default_rng(0))
    assert alone.hits[0] > 20 and alone.share[0] == 1.0
    assert hidden.hits[0] == 0 and hidden.share[0] == 0.0
    half = (10.0, 2.0, 2.0, 4.0, 0.4, 4.0, 0.0)  # only the left half
    partly = cast(SENSOR, boxes_at(car, half), 1, np.random.default_rng(0))
    assert 0.2 < partly.share[0] < 0.8


def test_counts_fall_with_distance_and_end_with_the_range() -> None:
    counts = [
        int(cast(SENSOR, boxes_at((d, 0.0, 0.8, 1.9, 4.5, 1.6, 1.6)), 1, np.random.default_rng(0)).hits[0])
        for d in (8.0, 15.0, 30.0, 50.0, 80.0)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 200 and counts[-2] > 0 and counts[-1] == 0


@pytest.mark.parametrize("angle", np.arange(0, 2 * np.pi, 0.37))
def test_every_direction_is_covered_alike(angle: float) -> None:
    row = (12 * np.cos(angle), 12 * np.sin(angle), 0.8, 1.0, 1.0, 1.6, angle)
    count = int(cast(SENSOR, boxes_at(row), 1, np.random.default_rng(0)).hits[0])
    # 4.8 degrees wide in steps of 0.4, 7.4 degrees high in steps of 1.33.
    assert 40 <= count <= 90


def test_no_boxes() -> None:
    sweep = cast(SENSOR, np.zeros((0, 7)), 0, np.random.default_rng(0))
    assert sweep.hits.shape == (0,) and len(sweep.points) > 300
