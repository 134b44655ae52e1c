"""A road: a centre line of constant curvature with lanes on both sides; traffic keeps right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_CURVE_STEP = 3.0


@dataclass(frozen=True)
class Road:
    """A stretch of road; `s` runs along the centre line, `d` is the offset to its left, both in metres.

    Args:
        x, y, heading: pose of the centre line at s = 0.
        curvature: 1 / radius, positive to the left.
        length: metres.
        lanes: number of lanes of each direction.
        lane_width: metres.
        parking: width of the parking strip along both kerbs, 0 for none.
    """

    x: float
    y: float
    heading: float
    curvature: float
    length: float
    lanes: int
    lane_width: float
    parking: float

    @property
    def half_width(self) -> float:
        """Metres from the centre line to the kerb, gutter included."""
        return self.lanes * self.lane_width + self.parking + 0.3

    def heading_at(self, s: ArrayLike) -> Array:
        """Direction of increasing s, radians."""
        return self.heading + self.curvature * np.asarray(s, dtype=np.float64)

    def point(self, s: ArrayLike, d: ArrayLike = 0.0) -> Array:
        """Map position (..., 2) of (s, d)."""
        s, d = np.broadcast_arrays(np.asarray(s, dtype=np.float64), np.asarray(d, dtype=np.float64))
        heading = self.heading_at(s)
        if self.curvature == 0.0:
            x, y = self.x + s * np.cos(heading), self.y + s * np.sin(heading)
        else:
            x = self.x + (np.sin(heading) - np.sin(self.heading)) / self.curvature
            y = self.y - (np.cos(heading) - np.cos(self.heading)) / self.curvature
        return np.stack([x - d * np.sin(heading), y + d * np.cos(heading)], axis=-1)

    def line(self, s0: float, s1: float, d: float) -> Array:
        """Points (N, 2) of the line at offset d from s0 to s1; only the two ends on a straight road."""
        pieces = 1 if self.curvature == 0.0 else max(1, int(np.ceil(abs(s1 - s0) / _CURVE_STEP)))
        return self.point(np.linspace(s0, s1, pieces + 1), d)

    def strip(self, s0: float, s1: float, d0: float, d1: float) -> Array:
        """Corners (N, 2) of the strip between two offsets, not closed."""
        return np.concatenate([self.line(s0, s1, d0), self.line(s1, s0, d1)])

    def lane_offset(self, lane: int, forward: bool) -> float:
        """Offset of the middle of a lane; lane 0 is next to the centre line."""
        offset = (lane + 0.5) * self.lane_width
        return -offset if forward else offset

    def lane_line(self, lane: int, forward: bool) -> Array:
        """Middle of a lane (N, 2) over the whole road in the direction of its traffic, a point a metre."""
        s = np.linspace(0.0, self.length, max(2, int(np.ceil(self.length)) + 1))
        points = self.point(s, self.lane_offset(lane, forward))
        return points if forward else points[::-1]

    def distance(self, xy: ArrayLike) -> tuple[Array, Array]:
        """(s, d) of map positions (..., 2): the inverse of `point` near the road."""
        delta = np.asarray(xy, dtype=np.float64) - (self.x, self.y)
        cos, sin = np.cos(self.heading), np.sin(self.heading)
        along, across = delta @ (cos, sin), delta @ (-sin, cos)
        if self.curvature == 0.0:
            return along, across
        radius = 1.0 / self.curvature
        angle = np.arctan2(along * np.sign(radius), (radius - across) * np.sign(radius))
        return angle * radius, radius - np.sign(radius) * np.hypot(along, radius - across)
