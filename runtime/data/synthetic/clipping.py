"""Cutting polygons to what a camera can see before they are projected (Sutherland and Hodgman, 1974)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NEAR: Final = 0.15
"""Metres before the camera at which everything is cut off."""


def view_planes(limit_x: float, limit_y: float) -> Array:
    """Inward planes (5, 4) of a pyramid with |x| <= limit_x z and |y| <= limit_y z beyond the near plane."""
    return np.array(
        [
            [0.0, 0.0, 1.0, -NEAR],
            [1.0, 0.0, limit_x, 0.0],
            [-1.0, 0.0, limit_x, 0.0],
            [0.0, 1.0, limit_y, 0.0],
            [0.0, -1.0, limit_y, 0.0],
        ]
    )


def clip_polygon(corners: Array, planes: Array) -> Array:
    """The part (M, 3) of a convex polygon (N, 3) on the inner side of all planes; M = 0 if there is none."""
    points = corners
    for plane in planes:
        if len(points) == 0:
            break
        height = points @ plane[:3] + plane[3]
        if (height >= 0).all():
            continue
        following, following_height = np.roll(points, -1, axis=0), np.roll(height, -1)
        kept = []
        for a, b, ha, hb in zip(points, following, height, following_height, strict=True):
            if ha >= 0:
                kept.append(a)
            if (ha >= 0) != (hb >= 0):
                kept.append(a + (b - a) * (ha / (ha - hb)))
        points = np.asarray(kept).reshape(-1, 3)
    return points
