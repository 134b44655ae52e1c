"""A polyline walked by arc length: what vehicles and people follow."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


class Path:
    """A polyline (N, 2) in metres, parametrised by arc length; it goes on straight beyond both ends.

    Raises:
        ValueError: fewer than two distinct points.
    """

    def __init__(self, points: ArrayLike) -> None:
        array = np.asarray(points, dtype=np.float64)
        step = np.linalg.norm(np.diff(array, axis=0), axis=1)
        keep = np.concatenate([[True], step > 1e-6])
        self.points: Array = array[keep]
        if len(self.points) < 2:
            raise ValueError(f"a path needs two distinct points, got {array.tolist()}")
        delta = np.diff(self.points, axis=0)
        self._lengths = np.linalg.norm(delta, axis=1)
        self._directions = delta / self._lengths[:, None]
        self._starts = np.concatenate([[0.0], np.cumsum(self._lengths)[:-1]])
        # Headings at the vertices are halfway between the two pieces, so that a heading turns without jumps.
        headings = np.unwrap(np.arctan2(delta[:, 1], delta[:, 0]))
        middles = self._starts + self._lengths / 2
        self._heading_knots = (middles, headings)

    @property
    def length(self) -> float:
        """Metres from the first to the last point."""
        return float(self._starts[-1] + self._lengths[-1])

    def at(self, s: ArrayLike) -> tuple[Array, Array]:
        """Positions (..., 2) and headings (...,) in radians at arc lengths `s` in metres."""
        s = np.asarray(s, dtype=np.float64)
        piece = np.clip(np.searchsorted(self._starts, s, side="right") - 1, 0, len(self._starts) - 1)
        position = self.points[piece] + (s - self._starts[piece])[..., None] * self._directions[piece]
        return position, np.interp(s, *self._heading_knots)

    def nearest(self, point: ArrayLike) -> float:
        """Arc length of the vertex-to-vertex piece point that lies nearest to a point (2,)."""
        offset = np.asarray(point, dtype=np.float64) - self.points[:-1]
        along = np.clip(np.sum(offset * self._directions, axis=1), 0.0, self._lengths)
        foot = self.points[:-1] + along[:, None] * self._directions
        best = int(np.argmin(np.linalg.norm(foot - np.asarray(point), axis=1)))
        return float(self._starts[best] + along[best])


def turn(start: ArrayLike, corner: ArrayLike, end: ArrayLike, radius: float) -> Array:
    """Points (N, 2) from `start` over an arc of `radius` metres inscribed at `corner` to `end`.

    The radius is made smaller where the two legs are too short for it.
    """
    a, b, c = (np.asarray(p, dtype=np.float64) for p in (start, corner, end))
    into, out = (b - a) / np.linalg.norm(b - a), (c - b) / np.linalg.norm(c - b)
    angle = float(np.arctan2(into[0] * out[1] - into[1] * out[0], into @ out))
    if abs(angle) < 1e-3:
        return np.stack([a, b, c])
    tangent = radius * np.tan(abs(angle) / 2)
    room = 0.95 * min(np.linalg.norm(b - a), np.linalg.norm(c - b))
    if tangent > room:
        radius, tangent = radius * room / tangent, room
    side = np.sign(angle)
    first = b - into * tangent
    centre = first + side * radius * np.array([-into[1], into[0]])
    swept = np.linspace(0.0, angle, max(4, int(np.ceil(abs(angle) / 0.08))))
    spoke = first - centre
    cos, sin = np.cos(swept), np.sin(swept)
    arc = centre + np.stack([cos * spoke[0] - sin * spoke[1], sin * spoke[0] + cos * spoke[1]], axis=-1)
    return np.concatenate([a[None], arc, c[None]])
