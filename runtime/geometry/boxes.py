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

Array = NDArray[np.float64]

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


def box_corners(boxes: ArrayLike) -> Array:
    """The eight corners (N, 8, 3) of boxes (N, >= 7), metres, in the order of the devkit's `Box.corners`."""
    array = np.asarray(boxes, dtype=np.float64)
    if array.size == 0 and array.ndim < 2:
        return np.zeros((0, 8, 3))
    if array.ndim != 2 or array.shape[1] < 7:
        raise ValueError(f"expected boxes (N, >= 7), got shape {array.shape}")
    half = array[:, None, [4, 3, 5]] / 2 * _CORNER_SIGNS
    cos, sin = np.cos(array[:, 6])[:, None], np.sin(array[:, 6])[:, None]
    x = half[..., 0] * cos - half[..., 1] * sin
    y = half[..., 0] * sin + half[..., 1] * cos
    return np.stack([x, y, half[..., 2]], axis=-1) + array[:, None, :3]


def ground_corners(boxes: ArrayLike) -> Array:
    """The corners (N, 4, 2) of boxes seen from above: front left, front right, back right, back left."""
    return box_corners(boxes)[:, [3, 2, 6, 7], :2]
