"""The nuScenes categories and attributes that the synthetic world uses, and how large things are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Category:
    """One nuScenes category.

    Args:
        name: category name of the nuScenes tables.
        size: mean width, length and height in metres.
        spread: relative standard deviation of the size from one instance to the next.
    """

    name: str
    size: tuple[float, float, float]
    spread: float


CATEGORIES: Final[tuple[Category, ...]] = (
    Category("vehicle.car", (1.95, 4.60, 1.70), 0.04),
    Category("vehicle.truck", (2.50, 7.20, 3.00), 0.04),
    Category("vehicle.construction", (2.80, 6.40, 3.10), 0.04),
    Category("vehicle.bus.rigid", (2.90, 11.00, 3.40), 0.03),
    Category("vehicle.trailer", (2.80, 10.50, 3.80), 0.03),
    Category("movable_object.barrier", (2.40, 0.55, 1.00), 0.03),
    Category("vehicle.motorcycle", (0.80, 2.10, 1.50), 0.04),
    Category("vehicle.bicycle", (0.60, 1.75, 1.45), 0.04),
    Category("human.pedestrian.adult", (0.66, 0.72, 1.75), 0.05),
    Category("human.pedestrian.child", (0.52, 0.56, 1.30), 0.05),
    Category("human.pedestrian.construction_worker", (0.68, 0.74, 1.78), 0.04),
    Category("movable_object.trafficcone", (0.42, 0.42, 0.95), 0.06),
    Category("static_object.bicycle_rack", (1.60, 4.20, 1.20), 0.03),
)

BY_NAME: Final[dict[str, Category]] = {category.name: category for category in CATEGORIES}

# The devkit's colour map and result checks know these; only some occur here.
ATTRIBUTES: Final[tuple[tuple[str, str], ...]] = (
    ("vehicle.moving", "Vehicle is moving."),
    ("vehicle.stopped", "Vehicle, with a driver inside, is stopped and will move on."),
    ("vehicle.parked", "Vehicle is stationary with no intention to move."),
    ("cycle.with_rider", "There is a rider on the bicycle or motorcycle."),
    ("cycle.without_rider", "There is no rider on the bicycle or motorcycle."),
    ("pedestrian.sitting_lying_down", "The human is sitting or lying down."),
    ("pedestrian.standing", "The human is standing."),
    ("pedestrian.moving", "The human is moving."),
)

VISIBILITIES: Final[tuple[tuple[str, str, float], ...]] = (
    ("1", "v0-40", 0.40),
    ("2", "v40-60", 0.60),
    ("3", "v60-80", 0.80),
    ("4", "v80-100", 1.00),
)
"""Token, level and the largest visible share of the level."""


def visibility_token(visible_share: float) -> str:
    """The nuScenes visibility token of a visible share between 0 and 1."""
    for token, _, upper in VISIBILITIES:
        if visible_share <= upper:
            return token
    return VISIBILITIES[-1][0]
