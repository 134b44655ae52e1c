"""Projection of ego points into pixels."""

import numpy as np
import pytest

from runtime.geometry.camera import ego2img_matrix, intrinsic_4x4, project
from runtime.geometry.frames import inverse, planar, rigid, transform_points

INTRINSIC = np.array([[400.0, 0.0, 240.0], [0.0, 410.0, 130.0], [0.0, 0.0, 1.0]])
# A camera on the ego car that looks along x: its axes (right, down, forward) are -y, -z, x of the ego frame.
LOOKING_FORWARD = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


def test_known_pixel() -> None:
    cam2ego = rigid(LOOKING_FORWARD, [1.5, 0.0, 1.6])
    ego2img = ego2img_matrix(INTRINSIC, cam2ego, np.eye(4), np.eye(4))
    # 10 m ahead, 2 m to the left, on the ground: u = 240 - 400 * 2 / 10, v = 130 + 410 * 1.6 / 10.
    uv, depth = project([[11.5, 2.0, 0.0]], ego2img)
    np.testing.assert_allclose(uv, [[160.0, 195.6]])
    np.testing.assert_allclose(depth, [10.0])


def test_car_moves_between_lidar_and_shutter() -> None:
    cam2ego = rigid(LOOKING_FORWARD, [1.5, 0.0, 1.6])
    lidar_pose = planar(3000.0, 2000.0, 0.4)
    shutter_pose = planar(3000.4, 2000.1, 0.41)
    ego2img = ego2img_matrix(INTRINSIC, cam2ego, shutter_pose, lidar_pose)
    point = np.array([[12.0, -3.0, 0.7]])
    # The long way round: to the map, to the ego frame at the shutter, to the camera, to the picture.
    in_camera = transform_points(
        inverse(cam2ego), transform_points(inverse(shutter_pose), transform_points(lidar_pose, point))
    )
    expected = (INTRINSIC @ in_camera[0])[:2] / in_camera[0, 2]
    uv, depth = project(point, ego2img)
    np.testing.assert_allclose(uv[0], expected, atol=1e-7)
    np.testing.assert_allclose(depth[0], in_camera[0, 2], atol=1e-9)
    still = project(point, ego2img_matrix(INTRINSIC, cam2ego, lidar_pose, lidar_pose))[0]
    assert np.linalg.norm(still - uv) > 3.0


def test_behind_the_camera_has_negative_depth() -> None:
    ego2img = ego2img_matrix(INTRINSIC, rigid(LOOKING_FORWARD, [0, 0, 0]), np.eye(4), np.eye(4))
    uv, depth = project([[-5.0, 1.0, 0.0], [0.0, 1.0, 0.0]], ego2img)
    assert depth[0] == pytest.approx(-5.0)
    assert depth[1] == 0.0
    assert not np.isfinite(uv[1]).any()


def test_no_points_give_empty_arrays() -> None:
    uv, depth = project(np.zeros((0, 3)), np.eye(4))
    assert uv.shape == (0, 2)
    assert depth.shape == (0,)


def test_intrinsic_keeps_depth_in_the_third_place() -> None:
    image = intrinsic_4x4(INTRINSIC) @ [1.0, 2.0, 4.0, 1.0]
    np.testing.assert_allclose(image, [400 + 960, 820 + 520, 4, 1])
    with pytest.raises(ValueError, match=r"expected a camera matrix \(3, 3\), got shape \(4, 4\)"):
        intrinsic_4x4(np.eye(4))
