"""What moves or stands in a scene and is annotated: a category, a size, a look and a motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from runtime.data.synthetic.path import Path

Array = NDArray[np.float64]

_MOVING = 0.2  # metres per second


@dataclass(frozen=True)
class Motion:
    """A walk along a path: `s0 + speed t + accel t^2 / 2`, standing still once the speed has fallen to 0.

    Args:
        path: the way.
        s0: arc length at t = 0, metres.
        speed: metres per second at t = 0, not negative.
        accel: metres per second squared.
    """

    path: Path
    s0: float
    speed: float
    accel: float = 0.0

    def travelled(self, t: ArrayLike) -> Array:
        """Arc length at times `t` in seconds."""
        t = np.asarray(t, dtype=np.float64)
        if self.accel < 0:
            t = np.minimum(t, -self.speed / self.accel)
        return self.s0 + self.speed * t + 0.5 * self.accel * t * t

    def speed_at(self, t: float) -> float:
        """Metres per second at time t."""
        return max(0.0, self.speed + self.accel * t)

    def pose(self, t: ArrayLike) -> tuple[Array, Array]:
        """Positions (..., 2) and headings (...,) at times `t`."""
        return self.path.at(self.travelled(t))


@dataclass(frozen=True)
class Standstill:
    """A motion that is none."""

    x: float
    y: float
    yaw: float

    def speed_at(self, t: float) -> float:
        """Always 0."""
        return 0.0

    def pose(self, t: ArrayLike) -> tuple[Array, Array]:
        """The one pose, repeated for all times `t`."""
        shape = np.shape(t)
        return np.broadcast_to([self.x, self.y], (*shape, 2)), np.full(shape, self.yaw)


@dataclass(frozen=True)
class Actor:
    """One instance.

    Args:
        category: nuScenes category name.
        size: width, length and height in metres.
        motion: where it is when.
        look: seed of its colours and shape.
        rider: whether a cycle is ridden.
        waiting: a vehicle that stands in traffic with its driver inside.
        offset: metres that the centre lies ahead of the point that follows the path.
    """

    category: str
    size: tuple[float, float, float]
    motion: Motion | Standstill
    look: int
    rider: bool = False
    waiting: bool = False
    offset: float = 0.0

    @property
    def still(self) -> bool:
        """Whether it never moves."""
        return isinstance(self.motion, Standstill)

    def pose(self, t: ArrayLike) -> tuple[Array, Array]:
        """Centres (..., 2) in map metres and headings (...,) at times `t` in seconds."""
        position, yaw = self.motion.pose(t)
        if self.offset:
            position = position + self.offset * np.stack([np.cos(yaw), np.sin(yaw)], axis=-1)
        return position, yaw

    def attribute(self, t: float) -> str:
        """The nuScenes attribute at time t, "" for a category that has none."""
        moving = self.motion.speed_at(t) > _MOVING
        if self.category.startswith("human."):
            return "pedestrian.moving" if moving else "pedestrian.standing"
        if self.category in ("vehicle.bicycle", "vehicle.motorcycle"):
            return "cycle.with_rider" if self.rider else "cycle.without_rider"
        if self.category.startswith("vehicle."):
            if moving:
                return "vehicle.moving"
            return "vehicle.parked" if self.still and not self.waiting else "vehicle.stopped"
        return ""
