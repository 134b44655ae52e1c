"""Pedestrians on walkways and crossings, and what stands on the walkways with them."""

from __future__ import annotations

import numpy as np

from runtime.data.synthetic.crowd import Crowd
from runtime.data.synthetic.layout import WALKWAY_WIDTH, Layout, Span
from runtime.data.synthetic.path import Path

_NEAR = 20.0  # metres along a road from the middle of the ego car's way


def add_people(crowd: Crowd, layout: Layout, main_road_waits: bool) -> None:
    """Pedestrians everywhere, and bicycles, motorcycles and racks left on the walkways."""
    rng = crowd.rng
    _leave_cycles(crowd, layout)
    _cross(crowd, layout, main_road_waits)
    for _ in range(int(rng.integers(14, 24))):
        _walk(crowd, layout)
    for _ in range(int(rng.integers(2, 5))):
        _stand_together(crowd, layout)


def _random_place(crowd: Crowd, layout: Layout) -> tuple[Span, float, float]:
    """A span, a place on it not far from the ego car, and a side."""
    rng = crowd.rng
    span = layout.spans[int(rng.integers(len(layout.spans)))]
    road = layout.roads[span.road]
    here = float(road.distance(crowd.focus)[0])
    low, high = max(span.s0, here - _NEAR), min(span.s1, here + _NEAR)
    s = rng.uniform(low, high) if high > low else rng.uniform(span.s0, span.s1)
    return span, float(s), float(rng.choice([1.0, -1.0]))


def _category(rng: np.random.Generator) -> str:
    return "human.pedestrian.child" if rng.random() < 0.12 else "human.pedestrian.adult"


def _walk(crowd: Crowd, layout: Layout) -> None:
    rng = crowd.rng
    span, s, side = _random_place(crowd, layout)
    road = layout.roads[span.road]
    d = side * (road.half_width + rng.uniform(0.6, WALKWAY_WIDTH - 1.0))
    points = road.point(np.linspace(0.0, road.length, int(road.length / 2) + 1), d)
    speed = rng.uniform(0.8, 1.6)
    start = s
    if rng.random() < 0.5:
        points, start = points[::-1], road.length - s
    path = Path(points)
    # They stop at the end of their span rather than walk into the junction.
    end = span.s1 if start == s else road.length - span.s0
    if start + speed * crowd.times[-1] < end:
        crowd.send(_category(rng), path, start, speed, margin=0.15)


def _stand_together(crowd: Crowd, layout: Layout) -> None:
    rng = crowd.rng
    span, s, side = _random_place(crowd, layout)
    road = layout.roads[span.road]
    middle = road.point(s, side * (road.half_width + 1.5))
    count = int(rng.integers(1, 4))
    first = rng.uniform(0, 2 * np.pi)
    for i in range(count):
        angle = first + 2 * np.pi * i / count
        spot = middle + 0.6 * np.array([np.cos(angle), np.sin(angle)])
        crowd.place(_category(rng), spot, angle + np.pi + rng.normal(0, 0.3), margin=0.1)


def _cross(crowd: Crowd, layout: Layout, main_road_waits: bool) -> None:
    """People on the crossings of the roads that wait, some on the others where nobody is coming."""
    rng = crowd.rng
    for crossing in layout.crossings:
        road = layout.roads[crossing.road]
        waits = main_road_waits if crossing.road == 0 else not main_road_waits
        for _ in range(int(rng.integers(2, 5)) if waits else int(rng.integers(0, 2))):
            s = rng.uniform(crossing.s0 + 0.5, crossing.s1 - 0.5)
            reach = road.half_width + 1.0
            ends = road.point([s, s], [reach, -reach])
            path = Path(ends if rng.random() < 0.5 else ends[::-1])
            speed = rng.uniform(0.9, 1.5)
            start = rng.uniform(-0.2, 0.7) * path.length
            crowd.send(_category(rng), path, start, speed, margin=0.3)


def _leave_cycles(crowd: Crowd, layout: Layout) -> None:
    rng = crowd.rng
    for name, count in (
        ("vehicle.bicycle", int(rng.integers(2, 6))),
        ("vehicle.motorcycle", int(rng.integers(1, 4))),
    ):
        span, s, side = _random_place(crowd, layout)
        road = layout.roads[span.road]
        for i in range(count):
            if i % 3 == 0:
                span, s, side = _random_place(crowd, layout)
                road = layout.roads[span.road]
            where = s + 1.3 * (i % 3)
            yaw = float(road.heading_at(where)) + side * np.pi / 2 + rng.normal(0, 0.1)
            crowd.place(name, road.point(where, side * (road.half_width + 1.25)), yaw, margin=0.05)
    if rng.random() < 0.25:
        span, s, side = _random_place(crowd, layout)
        road = layout.roads[span.road]
        spot = road.point(s, side * (road.half_width + 1.2))
        crowd.place_rack(spot, float(road.heading_at(s)), int(rng.integers(2, 5)))
