"""The map of one scene: one or two roads and everything painted on or built beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from runtime.data.synthetic.road import Road

Array = NDArray[np.float64]
Kind = Literal["straight", "bend", "crossroads", "tee"]

WALKWAY_WIDTH = 3.2
CROSSING_WIDTH = 3.6
STOP_LINE_GAP = 1.0
STOP_LINE_WIDTH = 0.5


@dataclass(frozen=True)
class Span:
    """A part of a road between junctions, `s0` to `s1` metres."""

    road: int
    s0: float
    s1: float


@dataclass(frozen=True)
class Crossing:
    """A pedestrian crossing over a whole road between s0 and s1, as a quadrilateral (4, 2)."""

    road: int
    s0: float
    s1: float
    polygon: Array


@dataclass(frozen=True)
class StopLine:
    """A stop line of one direction of traffic before crossing number `crossing`."""

    road: int
    s: float
    forward: bool
    crossing: int
    polygon: Array


@dataclass(frozen=True)
class Lane:
    """A lane of a span: its `polygon` (N, 2), traffic direction and index from the centre line."""

    span: Span
    lane: int
    forward: bool
    polygon: Array


@dataclass(frozen=True)
class ParkingStrip:
    """Parking along the kerb on one side (+1 left, -1 right) of a road, from s0 to s1."""

    road: int
    s0: float
    s1: float
    side: float
    polygon: Array


@dataclass
class Layout:
    """Geometry of a scene's map, in map metres; all of it lies inside the square `tile`."""

    kind: Kind
    tile: tuple[float, float, float, float]
    roads: list[Road]
    drivable: BaseGeometry
    junction: BaseGeometry | None = None
    junction_s: tuple[float, float] | None = None
    spans: list[Span] = field(default_factory=list)
    segments: list[tuple[Polygon, bool]] = field(default_factory=list)
    walkways: list[Polygon] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)
    crossings: list[Crossing] = field(default_factory=list)
    stop_lines: list[StopLine] = field(default_factory=list)
    road_dividers: list[Array] = field(default_factory=list)
    lane_dividers: list[Array] = field(default_factory=list)
    parking_strips: list[ParkingStrip] = field(default_factory=list)

    def spans_of(self, road: int) -> list[Span]:
        """The parts of one road outside the junction."""
        return [span for span in self.spans if span.road == road]


def polygons_of(geometry: BaseGeometry) -> Iterator[Polygon]:
    """The polygons with an area that a geometry is made of."""
    if isinstance(geometry, Polygon):
        if geometry.area > 0.05:
            yield geometry
    elif hasattr(geometry, "geoms"):
        for part in geometry.geoms:
            yield from polygons_of(part)


def painted_parts(layout: Layout, span: Span) -> list[tuple[float, float]]:
    """The parts of a span, as (s0, s1), between its crossings with their stop lines."""
    margin = STOP_LINE_GAP + STOP_LINE_WIDTH
    cuts = sorted((c.s0 - margin, c.s1 + margin) for c in layout.crossings if c.road == span.road)
    parts, start = [], span.s0
    for s0, s1 in cuts:
        if s1 <= span.s0 or s0 >= span.s1:
            continue
        if s0 - start > 1.0:
            parts.append((start, s0))
        start = max(start, s1)
    if span.s1 - start > 1.0:
        parts.append((start, span.s1))
    return parts
