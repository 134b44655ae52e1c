"""The sensors of the car: six 16:9 cameras in a ring and a lidar on the roof.

Positions, directions and fields of view are close to those of the nuScenes cars. Each log has its own small
mounting errors, which the calibration records exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtime.geometry.camera import CAMERA_NAMES
from runtime.geometry.frames import rigid

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """`intrinsic` (3, 3) in pixels, `cam2ego` (4, 4), `shutter` in seconds after the lidar's time stamp."""

    name: str
    intrinsic: Array
    cam2ego: Array
    shutter: float
    size: tuple[int, int]


@dataclass(frozen=True)
class Rig:
    """The cameras in view order and `lidar2ego` (4, 4)."""

    cameras: tuple[Camera, ...]
    lidar2ego: Array


# Position (x, y, z) in metres, yaw in degrees, horizontal field of view in degrees, and the shutter in
# seconds relative to the lidar's time stamp: the lidar sweeps clockwise, every camera fires as it passes.
_MOUNTS: Final[dict[str, tuple[tuple[float, float, float], float, float, float]]] = {
    "CAM_FRONT_LEFT": ((1.55, 0.49, 1.51), 55.0, 64.5, -0.043),
    "CAM_FRONT": ((1.70, 0.01, 1.51), 0.0, 64.5, -0.035),
    "CAM_FRONT_RIGHT": ((1.55, -0.49, 1.51), -55.0, 64.5, -0.027),
    "CAM_BACK_LEFT": ((1.03, 0.48, 1.56), 109.0, 64.5, -0.001),
    "CAM_BACK": ((0.05, 0.0, 1.57), 180.0, 89.0, -0.010),
    "CAM_BACK_RIGHT": ((1.03, -0.48, 1.56), -109.0, 64.5, -0.019),
}
_LIDAR_POSITION: Final = (0.94, 0.0, 1.84)

# Camera axes (x right, y down, z forward) seen from a body with x forward, y left, z up.
_OPTICAL: Final = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


def _rotation(yaw: float, pitch: float, roll: float) -> Array:
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    return about_z @ about_y @ about_x


def ego_pose(x: float, y: float, yaw: float, pitch: float = 0.0, roll: float = 0.0) -> Array:
    """Ego to global (4, 4) of a car at (x, y) metres on the ground."""
    return rigid(_rotation(yaw, pitch, roll), (x, y, 0.0))


def build_rig(image_size: tuple[int, int], rng: np.random.Generator) -> Rig:
    """A rig for images of (width, height) pixels with mounting errors drawn from `rng`."""
    width, height = image_size
    cameras = []
    for name in CAMERA_NAMES:
        position, yaw, field_of_view, shutter = _MOUNTS[name]
        focal = width / 2 / np.tan(np.radians(field_of_view) / 2) * (1 + rng.normal(0, 0.004))
        # As on the nuScenes cars the principal point lies below the middle: (816, 491) of 1600 x 900.
        principal = (width * (0.510 + rng.normal(0, 0.004)), height * (0.546 + rng.normal(0, 0.004)))
        intrinsic = np.array([[focal, 0.0, principal[0]], [0.0, focal, principal[1]], [0.0, 0.0, 1.0]])
        tilt = np.radians(rng.normal(0, (0.4, 0.35, 0.2)))
        rotation = _rotation(np.radians(yaw) + tilt[0], tilt[1], tilt[2]) @ _OPTICAL
        cam2ego = rigid(rotation, np.array(position) + rng.normal(0, 0.01, 3))
        cameras.append(Camera(name, intrinsic, cam2ego, shutter, image_size))
    # The nuScenes lidar's x axis points to the right of the car.
    lidar2ego = rigid(_rotation(np.radians(-90.0) + rng.normal(0, 0.003), 0.0, 0.0), _LIDAR_POSITION)
    return Rig(tuple(cameras), lidar2ego)
