"""Rotations and rigid transforms between frames, numpy float64.

Convention:
    Quaternions are (w, x, y, z), unit length. A matrix `a2b` is 4x4 and maps homogeneous column points of
    frame a into frame b. Yaw is the counter-clockwise angle about z of the rotated x axis, in radians.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def rotation_matrix(quaternion: ArrayLike) -> Array:
    """Rotation (3, 3) of a quaternion wxyz; any non-zero length is accepted and normalised.

    Raises:
        ValueError: the quaternion is not four finite numbers, or is zero.
    """
    q = np.asarray(quaternion, dtype=np.float64)
    if q.shape != (4,):
        raise ValueError(f"expected a quaternion (w, x, y, z), got shape {q.shape}")
    length = np.linalg.norm(q)
    if not np.isfinite(length) or length == 0:
        raise ValueError(f"expected a quaternion of non-zero finite length, got {q.tolist()}")
    w, x, y, z = q / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def quaternion_from_matrix(rotation: ArrayLike) -> Array:
    """Quaternion wxyz with w >= 0 of a rotation matrix (3, 3).

    Of the four equivalent formulas the one with the largest divisor is used (Shepperd, 1978), so that no
    rotation loses precision.
    """
    m = np.asarray(rotation, dtype=np.float64)
    if m.shape != (3, 3):
        raise ValueError(f"expected a rotation matrix (3, 3), got shape {m.shape}")
    trace = m[0, 0] + m[1, 1] + m[2, 2]
    squares = np.array([trace, m[0, 0], m[1, 1], m[2, 2]])
    largest = int(np.argmax(squares))
    if largest == 0:
        q = np.array([1 + trace, m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]])
    else:
        i = largest - 1
        j, k = (i + 1) % 3, (i + 2) % 3
        q = np.empty(4)
        q[0] = m[k, j] - m[j, k]
        q[1 + i] = 1 + m[i, i] - m[j, j] - m[k, k]
        q[1 + j] = m[j, i] + m[i, j]
        q[1 + k] = m[k, i] + m[i, k]
    q /= np.linalg.norm(q)
    return -q if q[0] < 0 else q


def quaternion_from_yaw(yaw: float) -> Array:
    """Quaternion wxyz of a turn by `yaw` radians about z."""
    return np.array([np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)])


def matrix_yaw(matrix: ArrayLike) -> float:
    """Yaw in radians of a rotation (3, 3) or of a rigid transform (4, 4)."""
    m = np.asarray(matrix, dtype=np.float64)
    return float(np.arctan2(m[1, 0], m[0, 0]))


def rigid(rotation: ArrayLike, translation: ArrayLike) -> Array:
    """The 4x4 transform p -> R p + t; `rotation` is a quaternion wxyz (4,) or a matrix (3, 3)."""
    r = np.asarray(rotation, dtype=np.float64)
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_matrix(r) if r.shape == (4,) else r
    matrix[:3, 3] = np.asarray(translation, dtype=np.float64)
    return matrix


def planar(x: float, y: float, yaw: float, z: float = 0.0) -> Array:
    """The 4x4 transform of a frame that lies flat at (x, y, z) metres, turned by `yaw` radians."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.array([[cos, -sin, 0.0, x], [sin, cos, 0.0, y], [0.0, 0.0, 1.0, z], [0.0, 0.0, 0.0, 1.0]])


def inverse(matrix: ArrayLike) -> Array:
    """Inverse of rigid transforms (..., 4, 4), from the transpose: exact where a general inverse rounds."""
    m = np.asarray(matrix, dtype=np.float64)
    rotation = np.swapaxes(m[..., :3, :3], -1, -2)
    result = np.zeros_like(m)
    result[..., :3, :3] = rotation
    result[..., :3, 3] = -np.einsum("...ij,...j->...i", rotation, m[..., :3, 3])
    result[..., 3, 3] = 1.0
    return result


def transform_points(matrix: ArrayLike, points: ArrayLike) -> Array:
    """Points (..., 3) carried by one affine transform (4, 4), such as a pose or `ego2img`: (..., 3)."""
    m = np.asarray(matrix, dtype=np.float64)
    return np.asarray(points, dtype=np.float64) @ m[:3, :3].T + m[:3, 3]
