"""The map expansion JSON (version 1.3) of one location, made of the layouts of its scenes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Polygon

from runtime.data.synthetic.layout import Lane, Layout, Span, polygons_of
from runtime.data.synthetic.road import Road
from runtime.data.synthetic.tables import token

Array = NDArray[np.float64]
Row = dict[str, Any]

_LAYERS: Final = (
    "polygon",
    "line",
    "node",
    "drivable_area",
    "road_segment",
    "road_block",
    "lane",
    "lane_connector",
    "ped_crossing",
    "walkway",
    "stop_line",
    "carpark_area",
    "road_divider",
    "lane_divider",
    "traffic_light",
)
_DECIMALS: Final = 4


class MapExpansion:
    """Collects the records of one location.

    Args:
        location: map name; part of every token.
        canvas_edge: (width, height) of the map, metres.
    """

    def __init__(self, location: str, canvas_edge: tuple[float, float]) -> None:
        self._location = location
        self._canvas_edge = canvas_edge
        self._layers: dict[str, list[Row]] = {name: [] for name in _LAYERS}
        self._arclines: dict[str, list[Row]] = {}
        self._connectivity: dict[str, Row] = {}

    def as_json(self) -> Row:
        """The content of the file."""
        return {
            "version": "1.3",
            "canvas_edge": list(self._canvas_edge),
            **self._layers,
            "arcline_path_3": self._arclines,
            "connectivity": self._connectivity,
        }

    def add(self, layout: Layout) -> None:
        """Add the map of one scene."""
        self._add("drivable_area", polygon_tokens=[self._polygon(p) for p in polygons_of(layout.drivable)])
        for polygon, is_junction in layout.segments:
            self._add(
                "road_segment",
                polygon_token=self._polygon(polygon),
                is_intersection=is_junction,
                drivable_area_token=self._layers["drivable_area"][-1]["token"],
            )
        for walkway in layout.walkways:
            self._add("walkway", polygon_token=self._polygon(walkway))
        for strip in layout.parking_strips:
            road = layout.roads[strip.road]
            yaw = float(road.heading_at((strip.s0 + strip.s1) / 2))
            self._add(
                "carpark_area",
                polygon_token=self._ring(strip.polygon),
                orientation=yaw,
                road_block_token="",
            )
        for line in layout.road_dividers:
            self._add("road_divider", line_token=self._line(line), road_segment_token="")
        for line in layout.lane_dividers:
            self._add("lane_divider", line_token=self._line(line), lane_divider_segments=[])
        blocks = self._road_blocks(layout)
        self._lanes(layout)
        self._crossings(layout, blocks)

    def _add(self, layer: str, **fields: Any) -> str:
        rows = self._layers[layer]
        key = token("map", self._location, layer, len(rows))
        rows.append({"token": key, **fields})
        return key

    def _nodes(self, points: Array) -> list[str]:
        return [
            self._add("node", x=round(float(x), _DECIMALS), y=round(float(y), _DECIMALS)) for x, y in points
        ]

    def _line(self, points: Array) -> str:
        return self._add("line", node_tokens=self._nodes(points))

    def _ring(self, points: Array) -> str:
        return self._add("polygon", exterior_node_tokens=self._nodes(points), holes=[])

    def _polygon(self, polygon: Polygon) -> str:
        exterior = self._nodes(np.asarray(polygon.exterior.coords)[:-1])
        holes = [{"node_tokens": self._nodes(np.asarray(ring.coords)[:-1])} for ring in polygon.interiors]
        return self._add("polygon", exterior_node_tokens=exterior, holes=holes)

    def _road_blocks(self, layout: Layout) -> dict[tuple[Span, bool], str]:
        """Half a road, one direction of traffic, for each span."""
        blocks = {}
        tile = Polygon(_square(layout.tile))
        for span in layout.spans:
            road = layout.roads[span.road]
            for forward in (True, False):
                edge = -road.half_width if forward else road.half_width
                inside = Polygon(road.strip(span.s0, span.s1, 0.0, edge)).intersection(tile)
                for polygon in polygons_of(inside):
                    ends = [road.point([s, s], [0.0, edge]) for s in (span.s0, span.s1)]
                    blocks[span, forward] = self._add(
                        "road_block",
                        polygon_token=self._polygon(polygon),
                        from_edge_line_token=self._line(ends[0] if forward else ends[1]),
                        to_edge_line_token=self._line(ends[1] if forward else ends[0]),
                        road_segment_token="",
                    )
        return blocks

    def _lanes(self, layout: Layout) -> None:
        """Lanes, the connectors straight across the junction, and who leads to whom."""
        keys: dict[tuple[Span, int, bool], str] = {}
        for lane in layout.lanes:
            road = layout.roads[lane.span.road]
            s = road.distance(lane.polygon)[0]
            s0, s1 = max(float(s.min()), lane.span.s0), min(float(s.max()), lane.span.s1)
            d = road.lane_offset(lane.lane, lane.forward)
            key = self._add(
                "lane", polygon_token=self._ring(lane.polygon), **self._lane_fields(road, lane, s0, s1)
            )
            keys[lane.span, lane.lane, lane.forward] = key
            self._connectivity[key] = {"incoming": [], "outgoing": []}
            self._arclines[key] = [_arcline(road, s0, s1, d, lane.forward)]
        for index, road in enumerate(layout.roads):
            spans = layout.spans_of(index)
            if len(spans) != 2:
                continue
            before, after = spans
            for forward in (True, False):
                for number in range(road.lanes):
                    source, target = (before, after) if forward else (after, before)
                    ends = (keys.get((source, number, forward)), keys.get((target, number, forward)))
                    if ends[0] and ends[1]:
                        self._connect(
                            road, before.s1, after.s0, road.lane_offset(number, forward), forward, ends
                        )

    def _lane_fields(self, road: Road, lane: Lane, s0: float, s1: float) -> Row:
        d, half = road.lane_offset(lane.lane, lane.forward), road.lane_width / 2
        first, last = (s0, s1) if lane.forward else (s1, s0)
        to_left = half if lane.forward else -half
        left = self._nodes(road.line(first, last, d + to_left))
        right = self._nodes(road.line(first, last, d - to_left))
        middle = lane.lane == 0
        inner, outer = "DOUBLE_SOLID_YELLOW", "SINGLE_DASHED_WHITE"
        return {
            "lane_type": "CAR",
            "from_edge_line_token": self._line(road.point([first, first], [d + half, d - half])),
            "to_edge_line_token": self._line(road.point([last, last], [d + half, d - half])),
            "left_lane_divider_segments": [
                {"node_token": node, "segment_type": inner if middle else outer} for node in left
            ],
            "right_lane_divider_segments": [
                {"node_token": node, "segment_type": "NIL" if lane.lane == road.lanes - 1 else outer}
                for node in right
            ],
        }

    def _connect(
        self, road: Road, s0: float, s1: float, d: float, forward: bool, ends: tuple[str | None, str | None]
    ) -> None:
        half = road.lane_width / 2
        key = self._add("lane_connector", polygon_token=self._ring(road.strip(s0, s1, d + half, d - half)))
        self._arclines[key] = [_arcline(road, s0, s1, d, forward)]
        self._connectivity[key] = {"incoming": [ends[0]], "outgoing": [ends[1]]}
        self._connectivity[str(ends[0])]["outgoing"].append(key)
        self._connectivity[str(ends[1])]["incoming"].append(key)

    def _crossings(self, layout: Layout, blocks: dict[tuple[Span, bool], str]) -> None:
        keys = [
            self._add("ped_crossing", polygon_token=self._ring(c.polygon), road_segment_token="")
            for c in layout.crossings
        ]
        for stop in layout.stop_lines:
            road = layout.roads[stop.road]
            lights = []
            span = next((s for s in layout.spans_of(stop.road) if s.s0 <= stop.s <= s.s1), None)
            if layout.junction_s is not None and span is not None:
                lights = [
                    self._traffic_light(road, stop.s, stop.forward, blocks.get((span, stop.forward), ""))
                ]
            self._add(
                "stop_line",
                polygon_token=self._ring(stop.polygon),
                stop_line_type="TRAFFIC_LIGHT" if lights else "PED_CROSSING",
                ped_crossing_tokens=[keys[stop.crossing]],
                traffic_light_tokens=lights,
                road_block_token="",
            )

    def _traffic_light(self, road: Road, s: float, forward: bool, block: str) -> str:
        d = -(road.half_width + 0.6) if forward else road.half_width + 0.6
        ends = road.point([s, s], [d - 0.3, d + 0.3])
        x, y = ends.mean(axis=0)
        yaw = float(road.heading_at(s)) + (np.pi if forward else 0.0)
        return self._add(
            "traffic_light",
            line_token=self._line(ends),
            traffic_light_type="VERTICAL",
            from_road_block_token=block,
            items=[],
            pose={"tx": float(x), "ty": float(y), "tz": 3.0, "rx": 0.0, "ry": 0.0, "rz": yaw},
        )


def _square(tile: tuple[float, float, float, float]) -> Array:
    x0, y0, x1, y1 = tile
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


def _arcline(road: Road, s0: float, s1: float, d: float, forward: bool) -> Row:
    """A lane's centre as an arc-line path of the devkit, of whose three pieces one has a length.

    The devkit's first piece is always a turn; a straight lane is the middle piece.
    """
    first, last = (s0, s1) if forward else (s1, s0)
    poses = []
    for s in (first, last):
        x, y = road.point(s, d)
        heading = float(road.heading_at(s)) + (0.0 if forward else np.pi)
        poses.append([float(x), float(y), heading])
    length = (s1 - s0) * (1.0 - d * road.curvature)
    bends_left = (road.curvature > 0) == forward
    if road.curvature == 0.0:
        pieces, shape, radius = [0.0, length, 0.0], "LSL", 999.999
    else:
        pieces, shape = [length, 0.0, 0.0], "LSL" if bends_left else "RSR"
        radius = abs(1.0 / road.curvature - d)
    return {
        "start_pose": poses[0],
        "end_pose": poses[1],
        "shape": shape,
        "radius": float(radius),
        "segment_length": pieces,
    }
