"""Colours of the synthetic world, RGB of 0..255."""

from __future__ import annotations

from typing import Final

import numpy as np

from runtime.data.synthetic.mesh import Color

GLASS: Final[Color] = (38, 52, 66)
TYRE: Final[Color] = (26, 26, 28)
HUB: Final[Color] = (150, 152, 156)
CHASSIS: Final[Color] = (44, 45, 48)
HEADLAMP: Final[Color] = (255, 250, 225)
TAILLAMP: Final[Color] = (215, 22, 22)
PLATE: Final[Color] = (225, 225, 215)
ORANGE: Final[Color] = (250, 105, 20)
WHITE: Final[Color] = (240, 240, 238)
ROOF: Final[Color] = (226, 228, 230)
MACHINE_YELLOW: Final[Color] = (240, 176, 20)

CAR_PAINTS: Final[tuple[Color, ...]] = (
    (232, 233, 235),
    (190, 194, 198),
    (120, 126, 134),
    (58, 62, 70),
    (176, 30, 34),
    (36, 74, 150),
    (24, 44, 84),
    (60, 110, 80),
    (196, 164, 110),
    (222, 222, 214),
)
TRUCK_CABS: Final[tuple[Color, ...]] = ((222, 224, 226), (170, 40, 36), (40, 84, 150), (60, 66, 74))
TRUCK_BOXES: Final[tuple[Color, ...]] = ((236, 236, 232), (210, 214, 216), (196, 202, 190))
BUS_PAINTS: Final[tuple[Color, ...]] = ((228, 178, 40), (34, 140, 96), (206, 58, 48), (48, 120, 196))
TRAILER_SIDES: Final[tuple[Color, ...]] = ((206, 208, 210), (180, 186, 192), (150, 104, 74), (86, 116, 150))
COATS: Final[tuple[Color, ...]] = (
    (186, 44, 52),
    (40, 74, 140),
    (60, 62, 70),
    (214, 176, 70),
    (92, 134, 92),
    (150, 96, 150),
    (226, 226, 222),
    (84, 160, 180),
)
TROUSERS: Final[tuple[Color, ...]] = ((38, 42, 56), (70, 74, 84), (92, 78, 60), (30, 30, 34))
SKINS: Final[tuple[Color, ...]] = ((224, 178, 146), (190, 138, 104), (126, 84, 60))
HAIRS: Final[tuple[Color, ...]] = ((40, 30, 24), (84, 58, 36), (150, 120, 70), (110, 110, 110))
FACADES: Final[tuple[Color, ...]] = (
    (186, 164, 140),
    (170, 118, 94),
    (200, 196, 186),
    (146, 150, 156),
    (210, 186, 150),
    (132, 112, 104),
)
LEAVES: Final[tuple[Color, ...]] = ((70, 118, 52), (92, 136, 60), (56, 98, 58))


def pick(colors: tuple[Color, ...], rng: np.random.Generator) -> Color:
    """One of the colours, each as likely as the others."""
    return colors[int(rng.integers(len(colors)))]
