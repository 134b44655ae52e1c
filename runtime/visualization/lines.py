"""Smooth lines, whole or dashed, at fractions of a pixel."""

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.visualization.clip_segments import clip_to_rectangle
from runtime.visualization.palette import Color

Image = NDArray[np.uint8]
Array = NDArray[np.float64]

_SHIFT = 4
"""Fractional bits of coordinates."""


def draw_segments(
    image: Image, segments: Array, color: Color, *, thickness: int = 1, dash: float | None = None
) -> None:
    """Draw pixel segments (N, 2, 2) of (u, v) into `image` (h, w, 3); with `dash`, strokes and gaps of so
    many pixels."""
    height, width = image.shape[:2]
    clipped = clip_to_rectangle(np.asarray(segments, dtype=np.float64).reshape(-1, 2, 2), width, height)
    for start, end in clipped:
        for piece in _strokes(start, end, dash):
            first, last = np.round(piece * (1 << _SHIFT)).astype(int).tolist()
            cv2.line(image, first, last, color, thickness, cv2.LINE_AA, _SHIFT)


def _strokes(start: Array, end: Array, dash: float | None) -> list[Array]:
    """The segment itself, or its strokes, symmetric about its middle so that both ends look alike."""
    length = float(np.hypot(*(end - start)))
    if dash is None or length <= dash:
        return [np.stack([start, end])]
    count = max(1, round((length / dash + 1) / 2))
    bounds = np.linspace(0.0, 1.0, 2 * count)
    at = start + bounds[:, None] * (end - start)
    return [at[2 * index : 2 * index + 2] for index in range(count)]


def fill_polygon(image: Image, corners: Array, color: Color, alpha: float) -> None:
    """Blend a convex polygon of pixels (N, 2) into `image` with weight `alpha`."""
    height, width = image.shape[:2]
    low = np.clip(np.floor(corners.min(axis=0)).astype(int) - 1, 0, [width, height])
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 2, 0, [width, height])
    if (high <= low).any():
        return
    patch = image[low[1] : high[1], low[0] : high[0]]
    mask = np.zeros(patch.shape[:2], dtype=np.uint8)
    points = np.round((corners - low) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillConvexPoly(mask, points, (255,), cv2.LINE_AA, _SHIFT)
    weight = mask[..., None] * (alpha / 255.0)
    patch[:] = np.round(patch * (1.0 - weight) + np.asarray(color) * weight).astype(np.uint8)
