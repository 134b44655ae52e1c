"""The way of the ego car through a scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runtime.data.synthetic.actor import Actor, Motion
from runtime.data.synthetic.layout import Layout
from runtime.data.synthetic.path import Path, turn
from runtime.data.synthetic.rig import ego_pose

Array = NDArray[np.float64]

EGO_SIZE = (1.85, 4.60, 1.70)
# The ego frame sits above the rear axle; the middle of the car lies ahead of it.
_AXLE_TO_CENTRE = 1.35


@dataclass(frozen=True)
class EgoTrip:
    """The ego car's motion.

    Args:
        motion: of the ego frame.
        lane: lane index on road 0 where it starts; it drives in the direction of increasing s.
        turning: whether it leaves road 0 at the junction.
        waiting: whether it stands in traffic.
        sway: amplitude of pitch and roll in radians.
        phase: phase of both.
    """

    motion: Motion
    lane: int
    turning: bool
    waiting: bool
    sway: tuple[float, float]
    phase: float

    def pose(self, t: float) -> Array:
        """Ego to global (4, 4) at time t in seconds."""
        position, yaw = self.motion.pose(t)
        pitch = self.sway[0] * np.sin(2.1 * t + self.phase)
        roll = self.sway[1] * np.sin(2.9 * t + 2 * self.phase)
        return ego_pose(float(position[0]), float(position[1]), float(yaw), float(pitch), float(roll))

    def as_actor(self) -> Actor:
        """The car itself, for keeping others clear of it."""
        return Actor("vehicle.car", EGO_SIZE, self.motion, 0, offset=_AXLE_TO_CENTRE)


def plan_trip(layout: Layout, duration: float, rng: np.random.Generator) -> EgoTrip:
    """A trip of `duration` seconds whose middle is near the middle of the tile."""
    road = layout.roads[0]
    lane = int(rng.integers(road.lanes))
    middle = road.length / 2 + rng.uniform(-3, 3)
    turning = layout.junction_s is not None and rng.random() < 0.4
    sway = tuple(np.radians(np.abs(rng.normal(0.0, 0.12, 2))))
    phase = float(rng.uniform(0, 2 * np.pi))
    if turning:
        path, corner_s, lane = _turning_path(layout, rng)
        # Longer trips go slower around the corner, so that they stay on the tile.
        speed, accel = float(rng.uniform(1.8, 3.2)), 0.0
        middle = corner_s + rng.uniform(-9.0, 3.0)
        motion = Motion(path, middle - speed * duration / 2, speed, accel)
        return EgoTrip(motion, lane, True, False, (sway[0], sway[1]), phase)
    path = Path(road.lane_line(lane, True))
    stops = [line for line in layout.stop_lines if line.road == 0 and line.forward]
    ahead = [line.s for line in stops if -4.0 < line.s - middle < 30.0]
    if ahead and rng.random() < 0.3:
        # The nose of the car stands half a metre to three metres behind the stop line.
        s0 = min(ahead) - (_AXLE_TO_CENTRE + EGO_SIZE[1] / 2) - rng.uniform(0.5, 3.0)
        s0 = path.nearest(road.point(s0, road.lane_offset(lane, True)))
        return EgoTrip(Motion(path, s0, 0.0), lane, False, True, (sway[0], sway[1]), phase)
    speed = float(rng.uniform(1.5, 4.0))
    accel = float(rng.uniform(-0.5, 0.5) * speed / max(duration, 4.0))
    travelled = speed * duration / 2 + accel * duration**2 / 8
    s0 = path.nearest(road.point(middle, road.lane_offset(lane, True))) - travelled
    return EgoTrip(Motion(path, s0, speed, accel), lane, False, False, (sway[0], sway[1]), phase)


def _turning_path(layout: Layout, rng: np.random.Generator) -> tuple[Path, float, int]:
    """A path from road 0 into road 1, the arc length of its corner, and the lane it starts from."""
    main, side = layout.roads
    assert layout.junction_s is not None
    _, s_side = layout.junction_s
    forward = True if s_side == 0.0 else bool(rng.integers(2))
    out_heading = side.heading if forward else side.heading + np.pi
    to_left = np.sin(out_heading - main.heading) > 0
    # From the inner lane to the left, from the outer lane to the right.
    lane = 0 if to_left else main.lanes - 1
    out_lane = 0 if to_left else side.lanes - 1
    start = main.point(0.0, main.lane_offset(lane, True))
    end_s = side.length if forward else 0.0
    end = side.point(end_s, side.lane_offset(out_lane, forward))
    into = np.array([np.cos(main.heading), np.sin(main.heading)])
    out = np.array([np.cos(out_heading), np.sin(out_heading)])
    along = np.linalg.solve(np.stack([into, -out], axis=1), end - start)
    corner = start + along[0] * into
    path = Path(turn(start, corner, end, 11.0 if to_left else 8.5))
    return path, path.nearest(corner), lane
