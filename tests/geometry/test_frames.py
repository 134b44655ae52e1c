"""Rotations and rigid transforms against an independent library and their own inverses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.geometry import frames

angles = st.floats(-np.pi, np.pi)
parts = st.floats(-1.0, 1.0)


def random_quaternions(count: int) -> np.ndarray:
    return np.random.default_rng(3).normal(size=(count, 4))


def test_rotation_matrix_equals_scipy() -> None:
    transform = pytest.importorskip("scipy.spatial.transform")
    for w, x, y, z in random_quaternions(50):
        expected = transform.Rotation.from_quat([x, y, z, w]).as_matrix()
        np.testing.assert_allclose(frames.rotation_matrix([w, x, y, z]), expected, atol=1e-14)


def test_known_turn() -> None:
    # A quarter turn about z brings x to y.
    half = np.sqrt(0.5)
    np.testing.assert_allclose(frames.rotation_matrix([half, 0, 0, half]) @ [1, 0, 0], [0, 1, 0], atol=1e-15)


def test_quaternion_round_trip_for_all_branches() -> None:
    # Half turns about each axis have trace -1: each takes another branch.
    special = np.array(
        [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0.6, 0.8, 0]], dtype=float
    )
    for q in np.concatenate([special, random_quaternions(50)]):
        q = q / np.linalg.norm(q)
        back = frames.quaternion_from_matrix(frames.rotation_matrix(q))
        assert back[0] >= 0
        assert min(np.abs(back - q).max(), np.abs(back + q).max()) < 1e-14


@pytest.mark.parametrize("bad", [[0, 0, 0, 0], [np.nan, 0, 0, 1], [1, 0, 0]])
def test_bad_quaternion_is_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="expected a quaternion"):
        frames.rotation_matrix(bad)


@given(angles)
def test_yaw_of_a_quaternion_from_yaw(yaw: float) -> None:
    found = frames.matrix_yaw(frames.rotation_matrix(frames.quaternion_from_yaw(yaw)))
    assert abs(np.exp(1j * found) - np.exp(1j * yaw)) < 1e-12


@given(parts, parts, parts, angles)
def test_inverse_undoes_a_transform(x: float, y: float, z: float, yaw: float) -> None:
    matrix = frames.planar(1000 * x, 1000 * y, yaw, z) @ frames.rigid([1, x, y, z], [x, y, z])
    np.testing.assert_allclose(frames.inverse(matrix) @ matrix, np.eye(4), atol=1e-9)
    np.testing.assert_allclose(frames.inverse(matrix[None])[0], frames.inverse(matrix))


def test_transform_points_matches_homogeneous_product() -> None:
    matrix = frames.rigid([0.9, 0.1, -0.2, 0.3], [4.0, -5.0, 6.0])
    points = np.random.default_rng(0).normal(size=(7, 3))
    expected = (matrix @ np.column_stack([points, np.ones(7)]).T).T[:, :3]
    np.testing.assert_allclose(frames.transform_points(matrix, points), expected)


def test_planar_is_a_rigid_yaw() -> None:
    expected = frames.rigid(frames.quaternion_from_yaw(0.7), [1, 2, 3])
    np.testing.assert_allclose(frames.planar(1, 2, 0.7, 3), expected, atol=1e-15)
    assert frames.matrix_yaw(expected) == pytest.approx(0.7)
