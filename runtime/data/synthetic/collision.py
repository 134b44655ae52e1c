"""Whether rectangles on the ground touch: separating axes, for many pairs and times at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def rectangles_overlap(
    centre_a: Array, yaw_a: Array, half_a: Array, centre_b: Array, yaw_b: Array, half_b: Array
) -> NDArray[np.bool_]:
    """Overlap of pairs of rectangles, broadcast over leading dimensions.

    Args:
        centre_a, centre_b: (..., 2), metres.
        yaw_a, yaw_b: (...,), radians.
        half_a, half_b: (..., 2), half length along the heading and half width, metres.
    """
    delta = centre_b - centre_a
    separated: NDArray[np.bool_] | None = None
    turn = yaw_b - yaw_a
    cos, sin = np.abs(np.cos(turn)), np.abs(np.sin(turn))
    for yaw, own, other in ((yaw_a, half_a, half_b), (yaw_b, half_b, half_a)):
        along = delta[..., 0] * np.cos(yaw) + delta[..., 1] * np.sin(yaw)
        across = -delta[..., 0] * np.sin(yaw) + delta[..., 1] * np.cos(yaw)
        reach_along = own[..., 0] + other[..., 0] * cos + other[..., 1] * sin
        reach_across = own[..., 1] + other[..., 0] * sin + other[..., 1] * cos
        apart = (np.abs(along) > reach_along) | (np.abs(across) > reach_across)
        separated = apart if separated is None else separated | apart
    return ~np.asarray(separated)
