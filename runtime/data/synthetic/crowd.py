"""The actors of a scene as they are being placed: nobody may touch anybody at any time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from runtime.data.synthetic.actor import Actor, Motion, Standstill
from runtime.data.synthetic.categories import BY_NAME
from runtime.data.synthetic.collision import rectangles_overlap
from runtime.data.synthetic.path import Path

Array = NDArray[np.float64]

_CHECK_STEP = 0.5
_CYCLES = ("vehicle.bicycle", "vehicle.motorcycle")
_WITHOUT_RIDER = 0.74  # height of a cycle without a rider, as a share of that with one


class Crowd:
    """Accepts actors that come near the ego car and keep clear of it and of each other.

    Args:
        ego: centre of the ego car over time, as an actor; it is not among `actors`.
        duration: seconds that the scene lasts.
        reach: an actor that never comes closer to the ego car than this, in metres, is not accepted.
        rng: source of sizes and looks.
    """

    def __init__(self, ego: Actor, duration: float, reach: float, rng: np.random.Generator) -> None:
        self.rng = rng
        self.reach = reach
        self.times: Array = np.arange(-0.1, duration + _CHECK_STEP, _CHECK_STEP)
        self.actors: list[Actor] = []
        self._ego_track: Array = ego.pose(self.times)[0]
        self.focus: Array = self._ego_track[len(self.times) // 2]
        self._tracks: list[Array] = []
        self._yaws: list[Array] = []
        self._halves: list[Array] = []
        self._remember(ego)

    def _remember(self, actor: Actor) -> None:
        position, yaw = actor.pose(self.times)
        self._tracks.append(np.asarray(position))
        self._yaws.append(np.asarray(yaw))
        self._halves.append(np.array([actor.size[1] / 2, actor.size[0] / 2]))

    def draw_size(self, category: str, rider: bool = True) -> tuple[float, float, float]:
        """A size for one more instance, in whole millimetres; cycles are lower without their rider."""
        entry = BY_NAME[category]
        factors = 1.0 + np.clip(self.rng.normal(0.0, entry.spread, 3), -0.12, 0.12)
        if category in _CYCLES and not rider:
            factors[2] *= _WITHOUT_RIDER
        width, length, height = (round(float(v * f), 3) for v, f in zip(entry.size, factors, strict=True))
        return width, length, height

    def place(
        self,
        category: str,
        xy: ArrayLike,
        yaw: float,
        *,
        margin: float = 0.2,
        rider: bool = False,
        waiting: bool = False,
        size: tuple[float, float, float] | None = None,
    ) -> bool:
        """Try to stand something at (x, y); says whether there was room."""
        x, y = np.asarray(xy, dtype=np.float64)
        motion = Standstill(float(x), float(y), float(yaw))
        return self._try(category, motion, margin, rider, waiting, size)

    def send(
        self,
        category: str,
        path: Path,
        s0: float,
        speed: float,
        *,
        accel: float = 0.0,
        margin: float = 0.4,
        rider: bool = False,
        size: tuple[float, float, float] | None = None,
    ) -> bool:
        """Try to set something in motion along a path; says whether its way was free."""
        return self._try(category, Motion(path, s0, speed, accel), margin, rider, False, size)

    def _try(
        self,
        category: str,
        motion: Motion | Standstill,
        margin: float,
        rider: bool,
        waiting: bool,
        size: tuple[float, float, float] | None,
    ) -> bool:
        look = int(self.rng.integers(2**31))
        actor = Actor(category, size or self.draw_size(category, rider), motion, look, rider, waiting)
        position, yaw = actor.pose(self.times)
        distance = np.linalg.norm(position - self._ego_track, axis=1)
        if distance.min() > self.reach:
            return False
        half = np.array([actor.size[1] / 2 + margin, actor.size[0] / 2 + margin])
        hit = rectangles_overlap(
            position[None],
            yaw[None],
            half,
            np.stack(self._tracks),
            np.stack(self._yaws),
            np.stack(self._halves)[:, None],
        )
        if hit.any():
            return False
        self.actors.append(actor)
        self._remember(actor)
        return True

    def place_rack(self, xy: ArrayLike, yaw: float, bicycles: int) -> bool:
        """A bicycle rack with bicycles standing in it, across its length."""
        if not self.place("static_object.bicycle_rack", xy, yaw):
            return False
        rack = self.actors[-1]
        along = np.array([np.cos(yaw), np.sin(yaw)])
        for i in range(bicycles):
            spot = np.asarray(xy) + along * rack.size[1] * ((i + 0.5) / bicycles - 0.5) * 0.8
            motion = Standstill(float(spot[0]), float(spot[1]), yaw + np.pi / 2)
            width, length, height = self.draw_size("vehicle.bicycle", rider=False)
            look = int(self.rng.integers(2**31))
            self.actors.append(Actor("vehicle.bicycle", (width, length, height), motion, look))
            self._remember(self.actors[-1])
        return True
