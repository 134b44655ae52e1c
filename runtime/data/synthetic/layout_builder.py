"""Draws the map of a scene: where roads run, how they meet, and what is painted on them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import LineString, Polygon, box
from shapely.ops import unary_union

from runtime.data.synthetic.layout import (
    CROSSING_WIDTH,
    STOP_LINE_GAP,
    STOP_LINE_WIDTH,
    WALKWAY_WIDTH,
    Crossing,
    Kind,
    Lane,
    Layout,
    ParkingStrip,
    Span,
    StopLine,
    painted_parts,
    polygons_of,
)
from runtime.data.synthetic.road import Road

Array = NDArray[np.float64]

_FILLET: Final = 5.0  # metres, radius of the kerb at a corner
_TILE_GAP: Final = 2.0  # metres of a tile that stay empty at its edges


def build_layout(kind: Kind, centre: tuple[float, float], size: float, rng: np.random.Generator) -> Layout:
    """Draw a layout of `kind` on a square tile of `size` metres around `centre`.

    Road 0 passes near the centre with s = length / 2 there; for junctions road 1 crosses (or joins) it within
    some metres of the centre.
    """
    half = size / 2 - _TILE_GAP
    tile = (centre[0] - half, centre[1] - half, centre[0] + half, centre[1] + half)
    length = 1.5 * size
    heading = rng.uniform(-np.pi, np.pi)
    lanes = int(rng.choice([1, 2], p=[0.45, 0.55]))
    parking = float(rng.choice([0.0, 2.5], p=[0.2, 0.8]))
    lane_width = float(rng.uniform(3.3, 3.6))
    curvature = 0.0
    if kind == "bend":
        # A road that turned by more than 150 degrees inside the tile would meet itself.
        curvature = float(
            rng.choice([-1.0, 1.0]) / rng.uniform(max(65.0, length / 2.6), 170.0 + length / 2.6)
        )
    roads = [
        _through(
            Road(0.0, 0.0, heading, curvature, length, lanes, lane_width, parking), centre, rng.uniform(-3, 3)
        )
    ]
    junction_s = None
    if kind in ("crossroads", "tee"):
        main = roads[0]
        s_main = length / 2 + rng.uniform(-14.0, 22.0)
        crossing_heading = heading + np.pi / 2 * rng.choice([-1.0, 1.0]) + np.radians(rng.uniform(-8, 8))
        side_lanes = int(rng.choice([1, 2], p=[0.6, 0.4]))
        side_parking = float(rng.choice([0.0, 2.5], p=[0.3, 0.7]))
        start = main.point(s_main) - length / 2 * np.array(
            [np.cos(crossing_heading), np.sin(crossing_heading)]
        )
        side_length, s_side = length, length / 2
        if kind == "tee":
            start, side_length, s_side = main.point(s_main), length / 2, 0.0
        roads.append(
            Road(
                float(start[0]),
                float(start[1]),
                float(crossing_heading),
                0.0,
                side_length,
                side_lanes,
                lane_width,
                side_parking,
            )
        )
        junction_s = (s_main, s_side)
    surfaces = [Polygon(road.strip(0.0, road.length, road.half_width, -road.half_width)) for road in roads]
    drivable = unary_union(surfaces)
    if junction_s is not None:
        # Closing (grow, then shrink) rounds the concave corners of the kerb and leaves straight edges alone.
        drivable = drivable.buffer(_FILLET, quad_segs=6).buffer(-_FILLET, quad_segs=6)
    drivable = drivable.intersection(box(*tile)).simplify(0.01)
    layout = Layout(kind, tile, roads, drivable, junction_s=junction_s)
    _split_at_junction(layout)
    _add_crossings(layout, rng)
    _add_lanes(layout)
    ring = drivable.buffer(WALKWAY_WIDTH, join_style="mitre").difference(drivable)
    layout.walkways = list(polygons_of(ring.intersection(box(*tile))))
    return layout


def _through(road: Road, centre: tuple[float, float], offset: float) -> Road:
    """The road moved so that the point (length / 2, offset) lies on `centre`."""
    shift = np.asarray(centre) - road.point(road.length / 2, offset)
    return replace(road, x=float(shift[0]), y=float(shift[1]))


def _split_at_junction(layout: Layout) -> None:
    """Cut the roads into spans and road segments at the junction."""
    if layout.junction_s is None:
        layout.spans = [Span(0, 0.0, layout.roads[0].length)]
        layout.segments = [(polygon, False) for polygon in polygons_of(layout.drivable)]
        return
    reach = [0.0, 0.0]
    for index in (0, 1):
        # Where this road leaves the rounded corners of the other one; a slanted crossing adds a little.
        other = layout.roads[1 - index]
        reach[index] = other.half_width + _FILLET + 0.15 * layout.roads[index].half_width
    areas = []
    for index, road in enumerate(layout.roads):
        s = layout.junction_s[index]
        first, last = max(0.0, s - reach[index]), s + reach[index]
        areas.append(Polygon(road.strip(first, last, road.half_width + 0.01, -road.half_width - 0.01)))
        layout.spans += [
            Span(index, s0, s1) for s0, s1 in ((0.0, first), (last, road.length)) if s1 - s0 > 1.0
        ]
    hull = unary_union(areas).convex_hull
    layout.junction = layout.drivable.intersection(hull)
    layout.segments = [(polygon, True) for polygon in polygons_of(layout.junction)]
    # The arms overlap the junction by a hand's breadth: pieces that only touched would leave hair-thin gaps
    # in their union, and every gap is a boundary to whoever draws its contour.
    for span in layout.spans:
        road = layout.roads[span.road]
        s0 = span.s0 - (0.1 if span.s0 > 0 else 0.0)
        s1 = span.s1 + (0.1 if span.s1 < road.length else 0.0)
        strip = Polygon(road.strip(s0, s1, road.half_width, -road.half_width))
        layout.segments += [
            (polygon, False) for polygon in polygons_of(strip.intersection(box(*layout.tile)))
        ]


def _add_crossings(layout: Layout, rng: np.random.Generator) -> None:
    """Crossings on the arms of a junction, or in the open, with the stop lines before them."""
    places: list[tuple[int, float, int]] = []  # road, start of the crossing, side of the junction
    if layout.junction_s is None:
        middle = layout.roads[0].length / 2
        for low, high, chance in ((-26.0, -8.0, 0.45), (0.0, 9.0, 0.65), (14.0, 30.0, 0.65)):
            if rng.random() < chance:
                places.append((0, middle + rng.uniform(low, high), 0))
    else:
        for span in layout.spans:
            after = span.s0 > 0.0 or layout.junction_s[span.road] == 0.0
            if rng.random() < 0.85:
                places.append(
                    (
                        span.road,
                        span.s0 + 0.6 if after else span.s1 - 0.6 - CROSSING_WIDTH,
                        1 if after else -1,
                    )
                )
    for index, s0, side in places:
        road, s1 = layout.roads[index], s0 + CROSSING_WIDTH
        corners = road.strip(s0, s1, road.half_width, -road.half_width)
        # Four corners even in a bend: whoever looks for the two long edges counts on a quadrilateral.
        polygon = road.point([s0, s1, s1, s0], [road.half_width] * 2 + [-road.half_width] * 2)
        if not box(*layout.tile).contains(Polygon(corners)):
            continue
        number = len(layout.crossings)
        layout.crossings.append(Crossing(index, s0, s1, polygon))
        for forward in (True, False):
            if (side == 1 and forward) or (side == -1 and not forward):
                continue  # this direction leaves the junction and need not stop
            near = s0 - STOP_LINE_GAP if forward else s1 + STOP_LINE_GAP
            far = near - STOP_LINE_WIDTH if forward else near + STOP_LINE_WIDTH
            edge = -road.lanes * road.lane_width if forward else road.lanes * road.lane_width
            stop = road.point([near, near, far, far], [0.0, edge, edge, 0.0])
            layout.stop_lines.append(StopLine(index, near, forward, number, stop))


def _add_lanes(layout: Layout) -> None:
    """Lanes, dividers and parking strips of every span; paint stops at crossings."""
    tile = box(*layout.tile)
    for span in layout.spans:
        road = layout.roads[span.road]
        for forward in (True, False):
            for lane in range(road.lanes):
                d = road.lane_offset(lane, forward)
                strip = Polygon(
                    road.strip(span.s0, span.s1, d + road.lane_width / 2, d - road.lane_width / 2)
                )
                for polygon in polygons_of(strip.intersection(tile)):
                    corners = np.asarray(polygon.exterior.coords)[:-1]
                    layout.lanes.append(Lane(span, lane, forward, corners))
        for s0, s1 in painted_parts(layout, span):
            layout.road_dividers += _clipped(road.line(s0, s1, 0.0), tile)
            for lane in range(1, road.lanes):
                for side in (1.0, -1.0):
                    layout.lane_dividers += _clipped(road.line(s0, s1, side * lane * road.lane_width), tile)
            if road.parking > 0 and s1 - s0 > 8.0:
                inner, outer = road.lanes * road.lane_width, road.half_width - 0.3
                for side in (1.0, -1.0):
                    strip = Polygon(road.strip(s0 + 1.0, s1 - 1.0, side * inner, side * outer))
                    for polygon in polygons_of(strip.intersection(tile)):
                        corners = np.asarray(polygon.exterior.coords)[:-1]
                        layout.parking_strips.append(
                            ParkingStrip(span.road, s0 + 1.0, s1 - 1.0, side, corners)
                        )


def _clipped(points: Array, tile: Polygon) -> list[Array]:
    """The pieces of a polyline inside the tile that are longer than a metre."""
    inside = LineString(points).intersection(tile)
    lines = inside.geoms if hasattr(inside, "geoms") else [inside]
    return [np.asarray(line.coords) for line in lines if isinstance(line, LineString) and line.length > 1.0]
