"""Solid models of people, cycles and street furniture that is annotated: barriers, cones, bicycle racks."""

from __future__ import annotations

import numpy as np

from runtime.data.synthetic import palette as paint
from runtime.data.synthetic.mesh import Color, Mesh, MeshBuilder, scaled

Size = tuple[float, float, float]

_HANDLEBARS = 0.74  # height, as a share of that of a rider


def pedestrian(size: Size, rng: np.random.Generator, *, walking: bool, worker: bool = False) -> Mesh:
    """A person; the face is in front, the hair and a bag or reflective stripes behind."""
    coat = paint.ORANGE if worker else paint.pick(paint.COATS, rng)
    trousers, skin = paint.pick(paint.TROUSERS, rng), paint.pick(paint.SKINS, rng)
    hair = paint.MACHINE_YELLOW if worker else paint.pick(paint.HAIRS, rng)
    b = MeshBuilder()
    stride = 0.28 if walking else 0.1
    legs = [(-0.36, -0.04, stride), (0.04, 0.36, -stride)]
    if rng.random() < 0.5:
        legs = [(low, high, -swing) for low, high, swing in legs]
    for low, high, swing in legs:
        b.block((swing - 0.16, swing + 0.2), (low, high), (0.0, 0.48), trousers, top_x=(-0.18, 0.18))
    torso = b.block((-0.3, 0.3), (-0.5, 0.5), (0.44, 0.83), coat, top_y=(-0.44, 0.44))
    torso.paint("back", (0.22, 0.78), (0.2, 0.9), scaled(coat, 0.45), detail=False)
    torso.paint("front", (0.44, 0.56), (0.0, 1.0), scaled(coat, 0.7))
    if worker:
        for side in ("front", "back", "left", "right"):
            torso.paint(side, (0.0, 1.0), (0.4, 0.56), (236, 240, 120), detail=False)
    head = b.block((-0.2, 0.2), (-0.2, 0.2), (0.85, 1.0), skin, top_color=hair)
    head.paint("back", (0.0, 1.0), (0.0, 1.0), hair, detail=False)
    for side in ("left", "right"):
        head.paint(side, (0.0, 1.0), (0.55, 1.0), hair)
    head.paint("front", (0.0, 1.0), (0.75, 1.0), hair)
    return b.build(size)


def _rider(b: MeshBuilder, rng: np.random.Generator, seat: float, helmet: Color) -> None:
    coat = paint.pick(paint.COATS, rng)
    b.block(
        (-0.16, 0.1), (-0.34, 0.34), (seat - 0.2, seat), paint.pick(paint.TROUSERS, rng), top_x=(-0.16, 0.04)
    )
    torso = b.block(
        (-0.2, 0.02), (-0.42, 0.42), (seat, seat + 0.3), coat, top_x=(-0.06, 0.14), top_y=(-0.4, 0.4)
    )
    torso.paint("back", (0.2, 0.8), (0.2, 0.9), scaled(coat, 0.5), detail=False)
    head = b.block((-0.02, 0.13), (-0.22, 0.22), (seat + 0.3, 1.0), helmet)
    head.paint("front", (0.1, 0.9), (0.1, 0.65), paint.pick(paint.SKINS, rng), detail=False)


def _with_room_for_rider(size: Size, rider: bool) -> Size:
    """The box in which a cycle is modelled: one without a rider ends at its handlebars."""
    return size if rider else (size[0], size[1], size[2] / _HANDLEBARS)


def _wheel_pair(b: MeshBuilder, size: Size, radius: float, thickness: float) -> None:
    for x in (-0.5 + radius / size[1], 0.5 - radius / size[1]):
        b.group = x
        for y in (thickness, -thickness):
            b.wheel(x, (radius / size[1], radius / size[2]), y, paint.TYRE, paint.HUB)
        b.block((x - 0.6 * radius / size[1], x + 0.6 * radius / size[1]), (-thickness, thickness),
                (0.0, 1.9 * radius / size[2]), paint.TYRE)  # fmt: skip


def motorcycle(size: Size, rng: np.random.Generator, *, rider: bool) -> Mesh:
    """A motorcycle with a fairing in front and a red lamp behind, with or without its rider."""
    color = paint.pick(paint.CAR_PAINTS[3:8], rng)
    size = _with_room_for_rider(size, rider)
    b = MeshBuilder()
    _wheel_pair(b, size, 0.31, 0.1)
    b.group = 0.0
    tank = b.block((-0.3, 0.3), (-0.22, 0.22), (0.2, 0.56), color, top_x=(-0.38, 0.26), top_y=(-0.16, 0.16))
    tank.paint("back", (0.1, 0.9), (0.6, 0.95), paint.TAILLAMP, detail=False, glow=True)
    b.block((-0.42, -0.06), (-0.2, 0.2), (0.52, 0.6), (30, 30, 32))
    if rider:
        _rider(b, rng, 0.6, paint.pick(paint.CAR_PAINTS, rng))
    b.group = 0.26
    fairing = b.block((0.22, 0.36), (-0.3, 0.3), (0.42, _HANDLEBARS), color, top_x=(0.16, 0.26))
    fairing.paint("front", (0.25, 0.75), (0.35, 0.8), paint.HEADLAMP, detail=False, glow=True)
    b.block((0.16, 0.22), (-0.5, 0.5), (0.68, _HANDLEBARS), (40, 40, 42))
    return b.build(size)


def bicycle(size: Size, rng: np.random.Generator, *, rider: bool) -> Mesh:
    """A bicycle: two thin wheels, a coloured frame, handlebars over the front wheel."""
    color = paint.pick((paint.COATS[0], paint.COATS[1], paint.COATS[7], (30, 150, 90)), rng)
    size = _with_room_for_rider(size, rider)
    b = MeshBuilder()
    _wheel_pair(b, size, 0.34, 0.05)
    b.group = 0.0
    for x in ((-0.3, 0.02), (-0.02, 0.3)):
        b.block(x, (-0.07, 0.07), (0.2, 0.5), color, top_x=(x[0] + 0.06, x[1] - 0.04), bottom=True)
    b.block((-0.2, -0.02), (-0.14, 0.14), (0.58, 0.64), (30, 30, 32), bottom=True)
    b.block((-0.14, -0.09), (-0.06, 0.06), (0.46, 0.6), color)
    if rider:
        _rider(b, rng, 0.62, paint.pick(paint.COATS, rng))
    b.group = 0.24
    b.block((0.2, 0.26), (-0.08, 0.08), (0.4, 0.7), color)
    b.block((0.18, 0.23), (-0.5, 0.5), (0.68, _HANDLEBARS), (50, 50, 52), bottom=True)
    return b.build(size)


def barrier(size: Size, rng: np.random.Generator) -> Mesh:
    """A road-works barrier, striped orange and white, as wide as it is placed across its heading."""
    first = int(rng.integers(2))
    b = MeshBuilder()
    foot = b.block((-0.5, 0.5), (-0.5, 0.5), (0.0, 0.18), (200, 196, 190), top_x=(-0.42, 0.42))
    foot.paint("front", (0.1, 0.2), (0.0, 0.6), (60, 60, 60))
    wall = b.block((-0.3, 0.3), (-0.5, 0.5), (0.18, 1.0), paint.WHITE, top_x=(-0.16, 0.16))
    for i in range(6):
        if i % 2 == first:
            for side in ("front", "back"):
                wall.paint(side, (i / 6, (i + 1) / 6), (0.0, 1.0), paint.ORANGE, detail=False)
    for side in ("left", "right"):
        wall.paint(side, (0.0, 1.0), (0.0, 1.0), paint.ORANGE, detail=False)
    return b.build(size)


def traffic_cone(size: Size, rng: np.random.Generator) -> Mesh:
    """An orange cone with one or two white bands."""
    b = MeshBuilder()
    b.block((-0.5, 0.5), (-0.5, 0.5), (0.0, 0.05), (50, 44, 42))
    bands = [(0.05, 0.4), (0.4, 0.62), (0.62, 0.72), (0.72, 0.84), (0.84, 1.0)]
    if rng.random() < 0.5:
        bands = [(0.05, 0.44), (0.44, 0.76), (0.76, 1.0)]
    shades = (1.0, 0.94, 0.82, 0.74, 0.82, 0.94)
    for i, (low, high) in enumerate(bands):
        radius = (0.42 * (1.0 - 0.86 * low), 0.42 * (1.0 - 0.86 * high))
        b.column((0.0, 0.0), (low, high), radius, paint.WHITE if i % 2 else paint.ORANGE, shades=shades)
    return b.build(size)


def bicycle_rack(size: Size, rng: np.random.Generator) -> Mesh:
    """A row of steel hoops; the bicycles in it are objects of their own."""
    b = MeshBuilder()
    for x in np.linspace(-0.48, 0.48, 5):
        b.group = float(x)
        b.block((x - 0.012, x + 0.012), (-0.3, -0.27), (0.0, 0.55), (150, 154, 158))
        b.block((x - 0.012, x + 0.012), (0.27, 0.3), (0.0, 0.55), (150, 154, 158))
        b.block((x - 0.012, x + 0.012), (-0.3, 0.3), (0.52, 0.56), (170, 174, 178), bottom=True)
    return b.build(size)
