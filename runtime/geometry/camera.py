"""The pinhole camera: from ego metres to pixels.

Convention:
    Pixels (u, v) = (column, row); integer coordinates are pixel centres. The camera frame has x right,
    y down, z forward. `ego2img` is 4x4 and maps ego metres (x, y, z, 1) to (u * d, v * d, d, 1) with depth d
    in metres.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from runtime.geometry.frames import inverse, transform_points

Array = NDArray[np.float64]

CAMERA_NAMES: tuple[str, ...] = (
    "CAM_FRONT_LEFT",
    "CAM_FRONT",
    "CAM_FRONT_RIGHT",
    "CAM_BACK_LEFT",
    "CAM_BACK",
    "CAM_BACK_RIGHT",
)
"""The six views in the order of every tensor that has a view axis."""


def intrinsic_4x4(intrinsic: ArrayLike) -> Array:
    """Camera matrix (3, 3) in pixels as the 4x4 that leaves the depth in the third place."""
    k = np.asarray(intrinsic, dtype=np.float64)
    if k.shape != (3, 3):
        raise ValueError(f"expected a camera matrix (3, 3), got shape {k.shape}")
    matrix = np.eye(4)
    matrix[:3, :3] = k
    return matrix


def ego2img_matrix(
    intrinsic: ArrayLike, cam2ego: ArrayLike, ego_cam2global: ArrayLike, ego_lidar2global: ArrayLike
) -> Array:
    """`K4 . inv(cam2ego) . inv(ego_cam2global) . ego_lidar2global`, (4, 4).

    The two ego poses differ: the car moves between the LIDAR_TOP time stamp, whose ego frame labels and BEV
    use, and the camera's own shutter.

    Args:
        intrinsic: (3, 3), pixels.
        cam2ego: (4, 4), where the camera sits on the car.
        ego_cam2global: (4, 4), ego pose at the camera's time stamp.
        ego_lidar2global: (4, 4), ego pose at the time stamp of LIDAR_TOP.
    """
    # The two poses are combined first: both translations are large (kilometres), their difference is small.
    lidar2cam_ego = inverse(ego_cam2global) @ np.asarray(ego_lidar2global, dtype=np.float64)
    return intrinsic_4x4(intrinsic) @ inverse(cam2ego) @ lidar2cam_ego


def project(points: ArrayLike, ego2img: ArrayLike) -> tuple[Array, Array]:
    """Pixels and depths of ego points.

    Args:
        points: (N, 3), metres.
        ego2img: (4, 4).

    Returns:
        uv (N, 2) in pixels and depth (N,) in metres. Only points with depth > 0 are in front of the camera;
        for depth 0 the pixel is not finite, for negative depth it is the mirrored one: mask by depth.
    """
    image = transform_points(ego2img, np.asarray(points, dtype=np.float64).reshape(-1, 3))
    depth = image[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        uv = image[:, :2] / depth[:, None]
    return uv, depth
