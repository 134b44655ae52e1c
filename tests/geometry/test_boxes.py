"""Corners and transforms of boxes; the devkit is the judge where it is installed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.geometry import boxes as box_math
from runtime.geometry.frames import planar, quaternion_from_yaw, rigid, transform_points

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


@given(st.floats(-20, 20), st.floats(-20, 20), st.floats(-np.pi, np.pi))
def test_corners_of_a_moved_box_are_the_moved_corners(x: float, y: float, yaw: float) -> None:
    matrix = planar(x, y, yaw, 0.3)
    rows = random_boxes(4)
    moved = box_math.box_corners(box_math.transform_boxes(rows, matrix))
    np.testing.assert_allclose(moved, transform_points(matrix, box_math.box_corners(rows)), atol=1e-9)


def test_velocity_turns_with_the_frame_and_unknown_stays_unknown() -> None:
    rows = np.concatenate([BOX, BOX])
    rows[1, 7:] = np.nan
    moved = box_math.transform_boxes(rows, planar(5.0, 5.0, np.pi / 2))
    np.testing.assert_allclose(moved[0, 6:], [np.pi / 2, -0.5, 1.0], atol=1e-12)
    assert np.isnan(moved[1, 7:]).all()
    np.testing.assert_allclose(moved[1, :7], moved[0, :7])


def test_transform_into_a_tilted_frame_equals_the_devkits() -> None:
    data_classes = pytest.importorskip("nuscenes.utils.data_classes")
    quaternion = pytest.importorskip("pyquaternion")
    tilt = quaternion.Quaternion([0.9, 0.02, -0.03, 0.4]).normalised
    shift = np.array([3.0, -7.0, 0.1])
    rows = random_boxes(8)
    moved = box_math.transform_boxes(rows, rigid(tilt.elements, shift))
    for row, ours in zip(rows, moved, strict=True):
        box = data_classes.Box(
            row[:3],
            row[3:6],
            quaternion.Quaternion(quaternion_from_yaw(row[6])),
            velocity=(row[7], row[8], 0.0),
        )
        box.rotate(tilt)
        box.translate(shift)
        heading = box.rotation_matrix @ [1, 0, 0]
        np.testing.assert_allclose(ours[:3], box.center, atol=1e-12)
        assert ours[6] == pytest.approx(np.arctan2(heading[1], heading[0]))
        np.testing.assert_allclose(ours[7:9], box.velocity[:2], atol=1e-12)


@pytest.mark.parametrize(("flip_x", "flip_y"), [(True, False), (False, True), (True, True)])
def test_mirrored_boxes_cover_the_mirrored_ground(flip_x: bool, flip_y: bool) -> None:
    rows = random_boxes(6)
    sign = np.array([-1.0 if flip_x else 1.0, -1.0 if flip_y else 1.0])
    mirrored = box_math.mirror_boxes(rows, flip_x=flip_x, flip_y=flip_y)
    ours = np.sort(box_math.ground_corners(mirrored), axis=1)
    expected = np.sort(box_math.ground_corners(rows) * sign, axis=1)
    np.testing.assert_allclose(ours, expected, atol=1e-9)
    heading = np.stack([np.cos(rows[:, 6]), np.sin(rows[:, 6])], axis=1) * sign
    np.testing.assert_allclose(
        np.stack([np.cos(mirrored[:, 6]), np.sin(mirrored[:, 6])], axis=1), heading, atol=1e-12
    )
    np.testing.assert_allclose(mirrored[:, 7:], rows[:, 7:] * sign)


def test_range_includes_the_near_edges_only() -> None:
    rows = np.zeros((4, 9))
    rows[:, :2] = [[-32.0, 0.0], [32.0, 0.0], [0.0, -16.0], [0.0, 16.0]]
    assert box_math.inside_range(rows, 16.0, 32.0).tolist() == [True, False, True, False]


def test_no_boxes_are_fine_everywhere() -> None:
    assert box_math.box_corners([]).shape == (0, 8, 3)
    assert box_math.transform_boxes(np.zeros((0, 9)), np.eye(4)).shape == (0, 9)
    assert box_math.inside_range([], 1.0, 1.0).shape == (0,)


def test_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected boxes \(N, >= 7\), got shape \(3, 4\)"):
        box_math.box_corners(np.zeros((3, 4)))
