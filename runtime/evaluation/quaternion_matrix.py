"""Rotation matrices with the very bits of the official evaluation.

The official code multiplies 4x4 and 3x3 matrices through BLAS, which may fuse a multiplication with an
addition and then rounds once where plain arithmetic rounds twice. Scores that must be equal to the last digit
therefore need the same matrix products, box by box.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_UNIT_TOLERANCE = 1e-14
_X_AXIS = np.array([1, 0, 0])


def rotation_matrix(quaternion: Array) -> Array:
    """Rotation (3, 3) of a quaternion wxyz (4,), normalised unless it is of unit length already.

    The lower right part of L(q) R(q*), where L(q) p = q p and R(q) p = p q as matrices.
    """
    squared = np.dot(quaternion, quaternion)
    if abs(1.0 - squared) >= _UNIT_TOLERANCE and squared > 0:
        quaternion = quaternion / np.sqrt(squared)
    w, x, y, z = quaternion
    left = np.array([[w, -x, -y, -z], [x, w, -z, y], [y, z, w, -x], [z, -y, x, w]])
    right = np.array([[w, -x, -y, -z], [x, w, z, -y], [y, -z, w, x], [z, y, -x, w]])
    return np.dot(left, right.T)[1:, 1:]


def yaw(quaternion: Array) -> np.float64:
    """Heading in radians of the x axis turned by a quaternion wxyz (4,)."""
    heading = np.dot(rotation_matrix(quaternion), _X_AXIS)
    return np.arctan2(heading[1], heading[0])
