"""What an image operation does to pixel coordinates, as 4x4 matrices to left-multiply on `ego2img`.

Convention:
    Pixels (u, v) = (column, row); integer coordinates are pixel centres, so that an image of width W covers
    [-0.5, W - 0.5). A matrix maps (u * d, v * d, d, 1) of the old image to the same of the new one: direction
    old -> new. Its upper left 3x3 is the plain 2D homogeneous matrix of the operation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def affine(linear: ArrayLike, offset: ArrayLike) -> Array:
    """The 4x4 of (u, v) -> linear (2, 2) @ (u, v) + offset (2,), in pixels."""
    matrix = np.eye(4)
    matrix[:2, :2] = np.asarray(linear, dtype=np.float64)
    matrix[:2, 2] = np.asarray(offset, dtype=np.float64)
    return matrix


def scale(scale_u: float, scale_v: float) -> Array:
    """Resizing by factors: the image's corner stays, not the centre of its first pixel.

    u' + 0.5 = scale_u * (u + 0.5); leaving the halves out shifts everything by (scale - 1) / 2 pixels.
    """
    return affine(
        [[scale_u, 0.0], [0.0, scale_v]],
        [0.5 * (scale_u - 1.0), 0.5 * (scale_v - 1.0)],
    )


def resize(old_size: tuple[int, int], new_size: tuple[int, int]) -> Array:
    """Resizing an image from `old_size` to `new_size`, both (height, width) in pixels."""
    return scale(new_size[1] / old_size[1], new_size[0] / old_size[0])


def crop(left: float, top: float) -> Array:
    """Cutting a window whose first pixel is (left, top) of the old image; negative values pad."""
    return affine(np.eye(2), [-left, -top])


def flip(width: int) -> Array:
    """Mirroring left and right: u' = width - 1 - u."""
    return affine([[-1.0, 0.0], [0.0, 1.0]], [width - 1.0, 0.0])


def rotate(degrees: float, size: tuple[int, int]) -> Array:
    """Turning about the middle of an image of `size` (height, width), counter-clockwise as one sees it."""
    angle = np.deg2rad(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    # The v axis points down, so that a turn that looks counter-clockwise is a clockwise one in (u, v).
    linear = np.array([[cos, sin], [-sin, cos]])
    centre = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    return affine(linear, centre - linear @ centre)


def planar(matrix: ArrayLike) -> Array:
    """The 2D homogeneous (3, 3) inside a pixel matrix (4, 4)."""
    return np.asarray(matrix, dtype=np.float64)[:3, :3].copy()


def transform_pixels(matrix: ArrayLike, uv: ArrayLike) -> Array:
    """Pixels (..., 2) carried by a pixel matrix (4, 4)."""
    m = np.asarray(matrix, dtype=np.float64)
    return np.asarray(uv, dtype=np.float64) @ m[:2, :2].T + m[:2, 2]
