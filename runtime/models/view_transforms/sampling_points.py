"""Where to sample a feature map: absolute pixel coordinates with a power-of-two step.

Convention:
    Points are (column, row) of a feature map, integers are pixel centres. They are held as int16 codes with a
    number of fraction bits that is as large as the map allows, at most 8; a code times `point_scale` is the
    coordinate. A coordinate of -1, or of the map's side, is the nearest one at which bilinear sampling with
    zero padding gives 0.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from runtime.geometry.bev_grid import BevGrid

_MAX_FRACTION_BITS = 8
MIN_DEPTH = 0.1
"""Metres in front of the camera below which a point counts as unseen."""


def fraction_bits(height: int, width: int) -> int:
    """Bits after the point of int16 coordinates from -1 to `max(height, width)`.

    `clamp(15 - ceil(log2(max(h, w) + 2)), 0, 8)`: 8 for a map of 64 x 120.

    Raises:
        ValueError: a side is not positive, or too long for int16.
    """
    side = max(height, width)
    if min(height, width) < 1 or side + 2 > 2**15:
        raise ValueError(f"a map of {height} x {width} pixels has no int16 coordinates")
    return min(max(15 - math.ceil(math.log2(side + 2)), 0), _MAX_FRACTION_BITS)


def point_scale(height: int, width: int) -> float:
    """Pixels a code: `2 ** -fraction_bits`."""
    return 2.0 ** -fraction_bits(height, width)


def point_codes(points: NDArray[np.float64], height: int, width: int, scale: float) -> NDArray[np.int16]:
    """Nearest codes of points (..., 2), clamped to just outside the map; points that are not finite too.

    Raises:
        ValueError: the far side of the map has no code at this scale.
    """
    if max(height, width) / scale > np.iinfo(np.int16).max:
        raise ValueError(
            f"grid_quant_scale is {scale}: int16 reaches pixel {np.iinfo(np.int16).max * scale:g} of a map "
            f"of {height} x {width}, which allows {point_scale(height, width)}"
        )
    # In place: training does this for every batch, and most of the time is what moves through memory.
    inside = np.where(np.isnan(points), -1.0, points)
    np.clip(inside, -1.0, (width, height), out=inside)
    # Half up, like every rounding of the fixed-point arithmetic.
    inside /= scale
    inside += 0.5
    return np.floor(inside, out=inside).astype(np.int16)


def ground_points(ego2img: NDArray[np.float64], grid: BevGrid, *, stride: float) -> NDArray[np.float64]:
    """Feature pixels at which each view sees the ground (z = 0) of each BEV cell.

    Inverse perspective mapping: without the column of z, `ego2img` is a homography of the ground plane.

    Args:
        ego2img: (N, 4, 4), ego metres to image pixels.
        grid: cells whose centres are projected.
        stride: image pixels a feature pixel: u_f = (u + 0.5) / stride - 0.5.

    Returns:
        (N, H, W, 2); (-1, -1) where the ground is less than `MIN_DEPTH` in front of the camera.
    """
    height, width = grid.shape
    centres = grid.centres().reshape(-1, 2)
    ground = np.concatenate([centres, np.ones((len(centres), 1))], axis=1).T  # (3, H * W)
    # Folding the stride into the matrix saves two passes over all points.
    half = 0.5 / stride - 0.5
    to_feature = np.array([[1 / stride, 0.0, half], [0.0, 1 / stride, half], [0.0, 0.0, 1.0]])
    homography = to_feature @ ego2img[:, :3][:, :, [0, 1, 3]]
    image = homography @ ground  # (N, 3, H * W): u * depth, v * depth, depth
    depth = image[:, 2]
    points = np.full((len(ego2img), len(centres), 2), -1.0)
    for axis in (0, 1):
        np.divide(image[:, axis], depth, out=points[..., axis], where=depth > MIN_DEPTH)
    return points.reshape(len(ego2img), height, width, 2)


def resampling_points(source: BevGrid, shape: tuple[int, int], target: BevGrid) -> NDArray[np.float64]:
    """Where on a map that covers `source` with (height, width) pixels the cells of `target` lie.

    Returns:
        (H, W, 2) for the (H, W) cells of `target`.
    """
    ratio = np.array([shape[1] / source.shape[1], shape[0] / source.shape[0]])
    return (source.metres_to_cells(target.centres()) + 0.5) * ratio - 0.5
