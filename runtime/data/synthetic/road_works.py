"""Road works and other things that barriers and cones are put up for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runtime.data.synthetic.crowd import Crowd
from runtime.data.synthetic.layout import Layout
from runtime.data.synthetic.road import Road

Array = NDArray[np.float64]


def add_road_works(crowd: Crowd, layout: Layout, focus: Array) -> None:
    """One or two building sites near `focus` (2,), cones around something small, barriers along a kerb."""
    rng = crowd.rng
    for chance in (0.85, 0.35):
        if rng.random() < chance:
            road, s = _spot(layout, focus, 6.0, 20.0, rng)
            _site(crowd, road, s, float(rng.choice([1.0, -1.0])))
    if rng.random() < 0.6:
        road, s = _spot(layout, focus, 4.0, 22.0, rng)
        _barrier_row(crowd, road, s, float(rng.choice([1.0, -1.0])), int(rng.integers(3, 7)))
    for _ in range(int(rng.integers(1, 3))):
        road, s = _spot(layout, focus, 4.0, 20.0, rng)
        _cone_group(crowd, road, s, float(rng.choice([1.0, -1.0])))


def _spot(
    layout: Layout, focus: Array, nearest: float, farthest: float, rng: np.random.Generator
) -> tuple[Road, float]:
    """A place on a road, outside the junction, so many metres from `focus` along the road."""
    places = []
    for span in layout.spans:
        road = layout.roads[span.road]
        here = float(road.distance(focus)[0])
        for low, high in ((here + nearest, here + farthest), (here - farthest, here - nearest)):
            low, high = max(low, span.s0 + 6.0), min(high, span.s1 - 6.0)
            if high - low > 2.0:
                places.append((road, low, high))
    if not places:
        road = layout.roads[0]
        return road, float(road.distance(focus)[0]) + farthest
    road, low, high = places[int(rng.integers(len(places)))]
    return road, float(rng.uniform(low, high))


def _site(crowd: Crowd, road: Road, s: float, side: float) -> None:
    """A machine at the kerb behind a row of barriers, with a taper of cones before it and workers inside."""
    rng = crowd.rng
    along = -side  # traffic beside the kerb drives towards increasing s on the right (side -1)
    heading = float(road.heading_at(s)) + (np.pi if side > 0 else 0.0)
    # With a parking strip the site fills the strip, without one it takes the outer lane.
    edge = road.lanes * road.lane_width + 0.25
    if road.parking == 0.0:
        edge -= road.lane_width
    kerb = road.half_width
    machine = edge + 0.9 + 1.45
    crowd.place(
        "vehicle.construction",
        road.point(s, side * machine),
        heading + float(rng.choice([0.0, np.pi])) + rng.normal(0, 0.08),
    )
    count = int(rng.integers(3, 6))
    for i in range(count):
        where = s + along * (i - (count - 1) / 2) * 2.75
        yaw = float(road.heading_at(where)) + side * np.pi / 2 + rng.normal(0, 0.03)
        crowd.place("movable_object.barrier", road.point(where, side * edge), yaw, margin=0.05)
    start = s - along * ((count / 2) * 2.75 + 0.8)
    for i in range(int(rng.integers(4, 7))):
        where = start - along * i * 1.5
        out = edge + (kerb - edge) * min(1.0, i / 4) + rng.normal(0, 0.06)
        crowd.place("movable_object.trafficcone", road.point(where, side * out), heading, margin=0.05)
    for _ in range(int(rng.integers(1, 4))):
        where = s + along * rng.uniform(-7, 7)
        crowd.place(
            "human.pedestrian.construction_worker",
            road.point(where, side * (kerb + rng.uniform(-0.9, 1.2))),
            rng.uniform(-np.pi, np.pi),
        )


def _barrier_row(crowd: Crowd, road: Road, s: float, side: float, count: int) -> None:
    """Barriers that close a piece of the parking strip, or of the walkway, facing the road."""
    edge = road.half_width + 0.55 if road.parking == 0.0 else road.lanes * road.lane_width + 0.4
    for i in range(count):
        where = s + (i - count / 2) * 2.7
        yaw = float(road.heading_at(where)) + side * np.pi / 2 + crowd.rng.normal(0, 0.03)
        crowd.place("movable_object.barrier", road.point(where, side * edge), yaw, margin=0.05)


def _cone_group(crowd: Crowd, road: Road, s: float, side: float) -> None:
    """A few cones in a line near the kerb, or along the edge of the outer lane."""
    rng = crowd.rng
    offset = road.half_width - rng.uniform(0.4, 1.0)
    if road.parking > 0 and rng.random() < 0.7:
        offset = road.lanes * road.lane_width + 0.4
    for i in range(int(rng.integers(3, 6))):
        spot = road.point(s + 1.7 * i, side * (offset + rng.normal(0, 0.1)))
        crowd.place("movable_object.trafficcone", spot, float(road.heading_at(s)), margin=0.1)
