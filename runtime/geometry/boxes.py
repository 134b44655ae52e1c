"""3D boxes as rows of nine numbers.

Convention:
    (N, 9) rows are x, y, z, w, l, h, yaw, vx, vy: box centre, then nuScenes sizes (width across, length
    along the heading, height), yaw in radians counter-clockwise about z, velocity in metres per second
    (NaN: unknown).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from runtime.geometry.frames import wrap_angle

Array = NDArray[np.float64]

BOX_FIELDS: Final = ("x", "y", "z", "w", "l", "h", "yaw", "vx", "vy")

# Along length, width, height in half sizes: four corners of the front face, then four of the back face, each
# going left-top, right-top, right-bottom, left-bottom as the nuScenes devkit does.
_CORNER_SIGNS: Final = np.array(
    [
        [1, 1, 1],
        [1, -1, 1],
        [1, -1, -1],
        [1, 1, -1],
        [-1, 1, 1],
        [-1, -1, 1],
        [-1, -1, -1],
        [-1, 1, -1],
    ],
    dtype=np.float64,
)


def _as_boxes(boxes: ArrayLike, minimum: int) -> Array:
    array = np.asarray(boxes, dtype=np.float64)
    if array.size == 0 and array.ndim < 2:
        return np.zeros((0, 9))
    if array.ndim != 2 or array.shape[1] < minimum:
        raise ValueError(f"expected boxes (N, >= {minimum}), got shape {array.shape}")
    return array


def box_corners(boxes: ArrayLike) -> Array:
    """The eight corners (N, 8, 3) of boxes (N, >= 7), metres, in the order of the devkit's `Box.corners`."""
    array = _as_boxes(boxes, 7)
    half = array[:, None, [4, 3, 5]] / 2 * _CORNER_SIGNS
    cos, sin = np.cos(array[:, 6])[:, None], np.sin(array[:, 6])[:, None]
    x = half[..., 0] * cos - half[..., 1] * sin
    y = half[..., 0] * sin + half[..., 1] * cos
    return np.stack([x, y, half[..., 2]], axis=-1) + array[:, None, :3]


def ground_corners(boxes: ArrayLike) -> Array:
    """The corners (N, 4, 2) of boxes seen from above: front left, front right, back right, back left."""
    return box_corners(boxes)[:, [3, 2, 6, 7], :2]


def transform_boxes(boxes: ArrayLike, matrix: ArrayLike) -> Array:
    """Boxes (N, 7 or 9) carried by a rigid transform (4, 4).

    The heading and the velocity are turned as 3D vectors that lie flat and are then seen from above, which is
    what the devkit does; for a transform that only turns about z this is exact.
    """
    array = _as_boxes(boxes, 7).copy()
    m = np.asarray(matrix, dtype=np.float64)
    rotation = m[:3, :3]
    array[:, :3] = array[:, :3] @ rotation.T + m[:3, 3]
    heading = np.stack([np.cos(array[:, 6]), np.sin(array[:, 6])], axis=-1) @ rotation[:2, :2].T
    array[:, 6] = np.arctan2(heading[:, 1], heading[:, 0])
    if array.shape[1] >= 9:
        array[:, 7:9] = array[:, 7:9] @ rotation[:2, :2].T
    return array


def mirror_boxes(boxes: ArrayLike, *, flip_x: bool = False, flip_y: bool = False) -> Array:
    """Boxes (N, 7 or 9) mirrored in the ego frame: `flip_x` swaps front and back, `flip_y` left and right."""
    array = _as_boxes(boxes, 7).copy()
    if flip_x:
        array[:, 0] *= -1
        array[:, 6] = np.pi - array[:, 6]
        if array.shape[1] >= 9:
            array[:, 7] *= -1
    if flip_y:
        array[:, 1] *= -1
        array[:, 6] *= -1
        if array.shape[1] >= 9:
            array[:, 8] *= -1
    array[:, 6] = wrap_angle(array[:, 6])
    return array


def inside_range(boxes: ArrayLike, half_y: float, half_x: float) -> NDArray[np.bool_]:
    """Which boxes (N, >= 2) have their centre in [-half_x, half_x) x [-half_y, half_y): (N,), bool."""
    array = _as_boxes(boxes, 2)
    x, y = array[:, 0], array[:, 1]
    return (x >= -half_x) & (x < half_x) & (y >= -half_y) & (y < half_y)
