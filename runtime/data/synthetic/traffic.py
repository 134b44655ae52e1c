"""Populating a scene: traffic in the lanes, parked vehicles, road works, people."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtime.data.synthetic.actor import Actor
from runtime.data.synthetic.crowd import Crowd
from runtime.data.synthetic.ego import EgoTrip
from runtime.data.synthetic.layout import Layout, Span, painted_parts
from runtime.data.synthetic.path import Path
from runtime.data.synthetic.people import add_people
from runtime.data.synthetic.road_works import add_road_works

Array = NDArray[np.float64]

REACH: Final = 19.0
"""Metres from the ego car within which everybody comes at some time of the scene."""

_LANE_MIX: Final[tuple[tuple[str, float], ...]] = (
    ("vehicle.car", 0.74),
    ("vehicle.truck", 0.08),
    ("vehicle.bus.rigid", 0.06),
    ("vehicle.motorcycle", 0.09),
    ("trailer", 0.03),
)
_KERB_MIX: Final[tuple[tuple[str, float], ...]] = (
    ("vehicle.car", 0.86),
    ("vehicle.truck", 0.06),
    ("vehicle.motorcycle", 0.08),
)
# Large things that stand at a kerb, and in what share of the scenes.
_AT_KERB: Final[tuple[tuple[tuple[str, ...], float], ...]] = (
    (("vehicle.bus.rigid",), 0.6),
    (("vehicle.trailer", "vehicle.truck"), 0.3),
    (("vehicle.trailer",), 0.4),
    (("vehicle.truck",), 0.4),
)


def populate(layout: Layout, trip: EgoTrip, duration: float, rng: np.random.Generator) -> list[Actor]:
    """The annotated actors of a scene, in a fixed order for a given `rng` state."""
    crowd = Crowd(trip.as_actor(), duration, REACH, rng)
    # What cannot give way is placed first; the rest has to find room around it.
    add_road_works(crowd, layout, trip.motion.path.at(trip.motion.travelled(duration / 2))[0])
    _park_large(crowd, layout)
    _park_along_kerbs(crowd, layout)
    _run_lanes(crowd, layout, trip)
    _send_cyclists(crowd, layout)
    add_people(crowd, layout, trip.waiting)
    return crowd.actors


def _draw(mix: tuple[tuple[str, float], ...], rng: np.random.Generator) -> str:
    weights = np.array([weight for _, weight in mix])
    return mix[int(rng.choice(len(mix), p=weights / weights.sum()))][0]


def _park_along_kerbs(crowd: Crowd, layout: Layout) -> None:
    for span in layout.spans:
        road = layout.roads[span.road]
        if road.parking == 0.0:
            continue
        for s0, s1 in painted_parts(layout, span):
            for side in (1.0, -1.0):
                _park_row(crowd, layout, span, s0 + 3.0, s1 - 3.0, side)


def _park_row(crowd: Crowd, layout: Layout, span: Span, s0: float, s1: float, side: float) -> None:
    """Single vehicles and small groups with gaps between them, through which one sees the walkway."""
    rng = crowd.rng
    s = s0 + rng.uniform(0, 6)
    while s < s1:
        for _ in range(int(rng.integers(1, 3))):
            s = _park(crowd, layout, span, s, s1, side, _draw(_KERB_MIX, rng)) + rng.uniform(0.8, 2.0)
        s += rng.uniform(5.0, 13.0)


def _park(crowd: Crowd, layout: Layout, span: Span, s: float, s1: float, side: float, name: str) -> float:
    """Park one vehicle from s on, in the direction of traffic, close to the kerb; returns where it ends."""
    rng, road = crowd.rng, layout.roads[span.road]
    size = crowd.draw_size(name, rider=False)
    if s + size[1] < s1:
        middle = s + size[1] / 2
        d = road.lanes * road.lane_width + max(road.parking / 2, size[0] / 2 - 0.1) + rng.normal(0, 0.06)
        if road.parking == 0.0:
            d = road.half_width - 0.3 - size[0] / 2
        yaw = float(road.heading_at(middle)) + (np.pi if side > 0 else 0.0) + rng.normal(0, 0.02)
        crowd.place(name, road.point(middle, side * d), yaw, size=size)
    return s + size[1]


def _park_large(crowd: Crowd, layout: Layout) -> None:
    """Buses at their stops, lorries and trailers that are being unloaded."""
    rng = crowd.rng
    for names, chance in _AT_KERB:
        if rng.random() > chance:
            continue
        for _ in range(12):  # a few attempts to find room
            span = layout.spans[int(rng.integers(len(layout.spans)))]
            here = float(layout.roads[span.road].distance(crowd.focus)[0])
            s = here + float(rng.uniform(6.0, 20.0)) * float(rng.choice([-1.0, 1.0])) - 5.0
            side = float(rng.choice([1.0, -1.0]))
            parts = [p for p in painted_parts(layout, span) if p[0] + 2.0 <= s and s + 12.0 <= p[1]]
            if not parts:
                continue
            before = len(crowd.actors)
            for name in names if side < 0 else names[::-1]:
                s = _park(crowd, layout, span, s, parts[0][1], side, name) + 0.5
            if len(crowd.actors) > before:
                break


def _run_lanes(crowd: Crowd, layout: Layout, trip: EgoTrip) -> None:
    """Moving traffic on the road that has right of way, queues on the other one."""
    rng = crowd.rng
    for index, road in enumerate(layout.roads):
        stopped = trip.waiting if index == 0 else not trip.waiting
        for forward in (True, False):
            # All lanes of a direction go at nearly the same pace, the ego's own direction at the ego's.
            pace = rng.uniform(1.0, 3.2)
            if index == 0 and forward and not trip.waiting:
                pace = trip.motion.speed
            for lane in range(road.lanes):
                ego_lane = index == 0 and forward and lane == trip.lane
                path = trip.motion.path if ego_lane else Path(road.lane_line(lane, forward))
                speed = pace if ego_lane else max(1.0, pace + rng.normal(0, 0.4))
                accel = trip.motion.accel if ego_lane else 0.0
                if stopped:
                    _queue(crowd, layout, index, lane, forward)
                else:
                    _stream(crowd, path, speed, accel)


def _vehicles(crowd: Crowd) -> list[str]:
    kind = _draw(_LANE_MIX, crowd.rng)
    return ["vehicle.truck", "vehicle.trailer"] if kind == "trailer" else [kind]


def _stream(crowd: Crowd, path: Path, speed: float, accel: float) -> None:
    """Vehicles one behind the other from the far end of a path to its start, at one speed."""
    rng = crowd.rng
    s = path.length - rng.uniform(0, 12)
    while s > 0.0:
        for name in _vehicles(crowd):
            size = crowd.draw_size(name)
            s -= size[1] / 2
            crowd.send(name, path, s, speed, accel=accel, rider=name == "vehicle.motorcycle", size=size)
            s -= size[1] / 2 + 0.6
        s -= rng.uniform(6.0, 15.0)


def _queue(crowd: Crowd, layout: Layout, index: int, lane: int, forward: bool) -> None:
    """Vehicles standing behind every stop line of this direction, and traffic that has passed it."""
    rng, road = crowd.rng, layout.roads[index]
    sign = 1.0 if forward else -1.0
    d = road.lane_offset(lane, forward)
    lines = [line.s for line in layout.stop_lines if line.road == index and line.forward == forward]
    if not lines and layout.junction_s is not None:
        # Without a crossing they wait where the junction begins.
        edges = [span.s1 if forward else span.s0 for span in layout.spans_of(index)]
        lines = [s for s in edges if 0.0 < s < road.length]
    for line in lines:
        s = line - sign * rng.uniform(1.0, 2.0)
        for _ in range(int(rng.integers(1, 5))):
            for name in _vehicles(crowd):
                size = crowd.draw_size(name)
                s -= sign * size[1] / 2
                yaw = float(road.heading_at(s)) + (0.0 if forward else np.pi)
                rider = name == "vehicle.motorcycle"
                crowd.place(name, road.point(s, d), yaw, waiting=True, rider=rider, size=size)
                s -= sign * (size[1] / 2 + 0.6)
            s -= sign * rng.uniform(1.5, 4.0)


def _send_cyclists(crowd: Crowd, layout: Layout) -> None:
    """Cyclists near the right edge of the outer lane."""
    rng = crowd.rng
    for _ in range(16):
        index = int(rng.integers(len(layout.roads)))
        road = layout.roads[index]
        forward = bool(rng.integers(2))
        offset = road.lanes * road.lane_width - 0.55
        s = np.linspace(0.0, road.length, int(road.length) + 1)
        points = road.point(s, -offset if forward else offset)
        path = Path(points if forward else points[::-1])
        start = rng.uniform(0.4, 0.6) * path.length
        crowd.send("vehicle.bicycle", path, start, rng.uniform(1.6, 3.2), rider=True, margin=0.25)
