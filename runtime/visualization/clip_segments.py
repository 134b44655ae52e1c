"""Cuts straight segments where they leave what can be seen."""

import numpy as np
from numpy.typing import NDArray

from runtime.geometry.frames import transform_points

Array = NDArray[np.float64]

NEAR = 0.1
"""Metres in front of the camera below which nothing is projected."""


def project_segments(starts: Array, ends: Array, ego2img: Array, *, near: float = NEAR) -> Array:
    """Pixels of 3D segments seen by a camera.

    Each segment is cut at the near plane before the division by depth: an end behind the camera would
    otherwise come out mirrored. The cut is exact, because `ego2img` is linear before that division.

    Args:
        starts: (N, 3) ego metres.
        ends: (N, 3) ego metres.
        ego2img: (4, 4).
        near: least depth in metres.

    Returns:
        (M, 2, 2) pixels (u, v) of both ends, M <= N: segments wholly behind the plane are left out.
    """
    # (N, 3) each: u * depth, v * depth, depth.
    first, last = transform_points(ego2img, starts), transform_points(ego2img, ends)
    visible = np.maximum(first[:, 2], last[:, 2]) > near
    first, last = first[visible], last[visible]
    first, last = _cut(first, last, near), _cut(last, first, near)
    return np.stack([first[:, :2] / first[:, 2:], last[:, :2] / last[:, 2:]], axis=1)


def _cut(point: Array, other: Array, near: float) -> Array:
    """`point`, or where it is behind the plane the place on the way to `other` where depth is `near`."""
    behind = point[:, 2] < near
    run = np.where(behind, other[:, 2] - point[:, 2], 1.0)
    share = np.where(behind, (near - point[:, 2]) / run, 0.0)
    return point + share[:, None] * (other - point)


def clip_to_rectangle(segments: Array, width: int, height: int) -> Array:
    """Cut pixel segments (N, 2, 2) to an image, with a margin of one pixel; those outside are left out
    (Liang and Barsky, 1984).

    What is drawn does not change, but coordinates that lie close to the near plane reach millions of
    pixels, which a drawing routine with fixed-point numbers cannot take.
    """
    start, run = segments[:, 0], segments[:, 1] - segments[:, 0]
    enter, leave = np.zeros(len(segments)), np.ones(len(segments))
    inside = np.ones(len(segments), dtype=bool)
    for axis, size in ((0, width), (1, height)):
        for sign, bound in ((-1.0, 1.0), (1.0, float(size))):
            # The half plane sign * (start + t * run) <= bound.
            slope, room = sign * run[:, axis], bound - sign * start[:, axis]
            parallel = slope == 0
            inside &= ~parallel | (room >= 0)
            at = room / np.where(parallel, 1.0, slope)
            leave = np.where(slope > 0, np.minimum(leave, at), leave)
            enter = np.where(slope < 0, np.maximum(enter, at), enter)
    inside &= enter <= leave
    clipped = np.stack([start + enter[:, None] * run, start + leave[:, None] * run], axis=1)
    return clipped[inside]
