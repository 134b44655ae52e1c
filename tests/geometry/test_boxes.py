"""Corners of boxes; the devkit is the judge where it is installed."""

import numpy as np
import pytest

from runtime.geometry import boxes as box_math
from runtime.geometry.frames import quaternion_from_yaw

BOX = np.array([[10.0, -2.0, 0.8, 2.0, 4.0, 1.6, 0.0, 1.0, 0.5]])


def random_boxes(count: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    rows = rng.uniform(-10, 10, (count, 9))
    rows[:, 3:6] = rng.uniform(0.5, 8, (count, 3))
    rows[:, 6] = rng.uniform(-np.pi, np.pi, count)
    return rows


def test_corners_of_an_unturned_box() -> None:
    corners = box_math.box_corners(BOX)[0]
    np.testing.assert_allclose(corners[0], [12.0, -1.0, 1.6])  # front left top
    np.testing.assert_allclose(corners[2], [12.0, -3.0, 0.0])  # front right bottom
    np.testing.assert_allclose(corners[7], [8.0, -1.0, 0.0])  # back left bottom


def test_corners_equal_the_devkits() -> None:
    data_classes = pytest.importorskip("nuscenes.utils.data_classes")
    quaternion = pytest.importorskip("pyquaternion")
    for row in random_boxes(10):
        box = data_classes.Box(row[:3], row[3:6], quaternion.Quaternion(quaternion_from_yaw(row[6])))
        np.testing.assert_allclose(box_math.box_corners(row[None])[0], box.corners().T, atol=1e-12)


def test_ground_corners_run_around_the_box() -> None:
    np.testing.assert_allclose(
        box_math.ground_corners(BOX)[0], [[12.0, -1.0], [12.0, -3.0], [8.0, -3.0], [8.0, -1.0]]
    )


def test_no_boxes_are_fine_everywhere() -> None:
    assert box_math.box_corners([]).shape == (0, 8, 3)
    assert box_math.box_corners(np.zeros((0, 9))).shape == (0, 8, 3)


def test_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected boxes \(N, >= 7\), got shape \(3, 4\)"):
        box_math.box_corners(np.zeros((3, 4)))
