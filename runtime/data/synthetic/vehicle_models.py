"""Solid models of everything on wheels; front and rear look different, so that a heading can be seen."""

from __future__ import annotations

import numpy as np

from runtime.data.synthetic import palette as paint
from runtime.data.synthetic.mesh import Block, Color, Mesh, MeshBuilder, scaled

Size = tuple[float, float, float]


def _lamps(block: Block, low: float, high: float) -> None:
    for u in ((0.03, 0.23), (0.77, 0.97)):
        block.paint("front", u, (low, high), paint.HEADLAMP, detail=False, glow=True)
        block.paint("back", u, (low, high), paint.TAILLAMP, detail=False, glow=True)


def _axles(builder: MeshBuilder, size: Size, radius: float, places: tuple[float, ...]) -> None:
    for x in places:
        for y in (0.5, -0.5):
            builder.wheel(x, (radius / size[1], radius / size[2]), y, paint.TYRE, paint.HUB)


def car(size: Size, rng: np.random.Generator) -> Mesh:
    """A saloon, a hatchback or a sport utility car."""
    body = paint.pick(paint.CAR_PAINTS, rng)
    # Where the cabin stands: bottom rear and front, roof rear and front, height of the waist line.
    shapes = (
        (-0.40, 0.22, -0.27, 0.04, 0.53),
        (-0.48, 0.23, -0.42, 0.06, 0.54),
        (-0.49, 0.27, -0.46, 0.14, 0.58),
    )
    rear, front, roof_rear, roof_front, waist = shapes[int(rng.integers(len(shapes)))]
    b = MeshBuilder()
    b.block((-0.47, 0.47), (-0.45, 0.45), (0.06, 0.22), paint.CHASSIS)
    hull = b.block((-0.5, 0.5), (-0.5, 0.5), (0.16, waist), body, top_x=(-0.49, 0.47), top_y=(-0.47, 0.47))
    for side in ("left", "right"):
        hull.paint(side, (0.0, 1.0), (0.0, 0.16), scaled(body, 0.55))
    hull.paint("front", (0.24, 0.76), (0.3, 0.72), (30, 30, 34))
    hull.paint("front", (0.0, 1.0), (0.0, 0.2), scaled(body, 0.5))
    hull.paint("back", (0.0, 1.0), (0.0, 0.24), scaled(body, 0.5))
    hull.paint("back", (0.36, 0.64), (0.4, 0.62), paint.PLATE)
    _lamps(hull, 0.56, 0.88)
    _axles(b, size, 0.33, (-0.31, 0.31))
    cabin = b.block(
        (rear, front),
        (-0.46, 0.46),
        (waist, 1.0),
        body,
        top_x=(roof_rear, roof_front),
        top_y=(-0.38, 0.38),
    )
    cabin.paint("front", (0.05, 0.95), (0.06, 0.92), paint.GLASS, detail=False)
    cabin.paint("back", (0.08, 0.92), (0.18, 0.88), paint.GLASS, detail=False)
    for side in ("left", "right"):
        cabin.paint(side, (0.07, 0.48), (0.1, 0.86), paint.GLASS, detail=False)
        cabin.paint(side, (0.53, 0.93), (0.1, 0.86), paint.GLASS, detail=False)
    return b.build(size)


def _cab(b: MeshBuilder, x: tuple[float, float], top: float, color: Color) -> None:
    cab = b.block(x, (-0.48, 0.48), (0.14, top), color, top_x=(x[0], x[1] - 0.1 * (x[1] - x[0])))
    cab.paint("front", (0.06, 0.94), (0.5, 0.9), paint.GLASS, detail=False)
    cab.paint("front", (0.2, 0.8), (0.14, 0.42), (34, 34, 38))
    for u in ((0.03, 0.17), (0.83, 0.97)):
        cab.paint("front", u, (0.12, 0.28), paint.HEADLAMP, detail=False, glow=True)
    cab.paint("left", (0.12, 0.7), (0.52, 0.86), paint.GLASS, detail=False)
    cab.paint("right", (0.3, 0.88), (0.52, 0.86), paint.GLASS, detail=False)


def truck(size: Size, rng: np.random.Generator) -> Mesh:
    """A lorry: a cab in front of a box, or of an open bed."""
    cab, box = paint.pick(paint.TRUCK_CABS, rng), paint.pick(paint.TRUCK_BOXES, rng)
    b = MeshBuilder()
    b.group = -0.15
    b.block((-0.5, 0.24), (-0.42, 0.42), (0.1, 0.26), paint.CHASSIS)
    closed = rng.random() < 0.75
    if closed:
        load = b.block((-0.5, 0.2), (-0.5, 0.5), (0.24, 1.0), box, top_color=scaled(box, 0.9))
        load.paint("back", (0.49, 0.51), (0.0, 1.0), (70, 72, 76))
        for side in ("left", "right"):
            load.paint(side, (0.0, 1.0), (0.0, 0.05), (90, 92, 96))
            load.paint(side, (0.25, 0.75), (0.35, 0.62), scaled(cab, 0.9))
    else:
        load = b.block((-0.5, 0.2), (-0.5, 0.5), (0.24, 0.5), scaled(cab, 0.8))
        b.block((-0.45, 0.12), (-0.42, 0.42), (0.5, 0.8), (150, 116, 74), top_x=(-0.36, 0.02))
    for u in ((0.02, 0.16), (0.84, 0.98)):
        load.paint("back", u, (0.02, 0.12), paint.TAILLAMP, detail=False, glow=True)
    _axles(b, size, 0.46, (-0.36, -0.22))
    b.group = 0.36
    _cab(b, (0.24, 0.5), 0.86 if closed else 1.0, cab)
    _axles(b, size, 0.46, (0.36,))
    return b.build(size)


def bus(size: Size, rng: np.random.Generator) -> Mesh:
    """A city bus: one colour, a band of windows, a lit sign over the windscreen."""
    color = paint.pick(paint.BUS_PAINTS, rng)
    b = MeshBuilder()
    b.block((-0.48, 0.48), (-0.46, 0.46), (0.04, 0.14), paint.CHASSIS)
    hull = b.block((-0.5, 0.5), (-0.5, 0.5), (0.1, 1.0), color, top_y=(-0.47, 0.47), top_color=paint.ROOF)
    hull.paint("front", (0.04, 0.96), (0.34, 0.82), paint.GLASS, detail=False)
    hull.paint("front", (0.2, 0.8), (0.86, 0.96), (250, 180, 60), glow=True)
    hull.paint("back", (0.15, 0.85), (0.58, 0.84), paint.GLASS, detail=False)
    hull.paint("back", (0.2, 0.8), (0.12, 0.4), scaled(color, 0.5))
    for u in ((0.03, 0.15), (0.85, 0.97)):
        hull.paint("front", u, (0.12, 0.22), paint.HEADLAMP, detail=False, glow=True)
        hull.paint("back", u, (0.12, 0.34), paint.TAILLAMP, detail=False, glow=True)
    for side in ("left", "right"):
        for i in range(6):
            start = 0.03 + i * 0.158
            hull.paint(side, (start, start + 0.14), (0.46, 0.82), paint.GLASS, detail=False)
        hull.paint(side, (0.0, 1.0), (0.28, 0.36), paint.WHITE, detail=False)
    for start in (0.07, 0.48):  # the doors are on the right
        hull.paint("right", (1 - start - 0.1, 1 - start), (0.02, 0.8), (24, 34, 44), detail=False)
    _axles(b, size, 0.5, (-0.27, 0.3))
    return b.build(size)


def trailer(size: Size, rng: np.random.Generator) -> Mesh:
    """A long box on axles at its rear, with landing legs at its front."""
    color = paint.pick(paint.TRAILER_SIDES, rng)
    b = MeshBuilder()
    b.block((-0.5, 0.48), (-0.3, 0.3), (0.16, 0.3), paint.CHASSIS)
    b.block((0.24, 0.27), (-0.4, 0.4), (0.0, 0.28), (90, 92, 96))
    box = b.block((-0.5, 0.5), (-0.5, 0.5), (0.28, 1.0), color, top_color=scaled(color, 0.92))
    for side in ("left", "right"):
        for i in range(1, 9):
            box.paint(side, (i / 9 - 0.006, i / 9 + 0.006), (0.0, 1.0), scaled(color, 0.78))
        box.paint(side, (0.0, 1.0), (0.0, 0.07), (196, 44, 40), detail=False)
    box.paint("back", (0.0, 1.0), (0.0, 0.09), (196, 44, 40), detail=False)
    box.paint("back", (0.485, 0.515), (0.09, 1.0), (60, 62, 66), detail=False)
    for u in ((0.03, 0.13), (0.87, 0.97)):
        box.paint("back", u, (0.1, 0.2), paint.TAILLAMP, detail=False, glow=True)
    box.paint("front", (0.2, 0.8), (0.4, 0.9), (236, 236, 236), detail=False)
    _axles(b, size, 0.5, (-0.42, -0.31, -0.2))
    return b.build(size)


def construction_vehicle(size: Size, rng: np.random.Generator) -> Mesh:
    """A tracked excavator with its arm stretched forward, or a wheel loader."""
    yellow = scaled(paint.MACHINE_YELLOW, float(rng.uniform(0.92, 1.04)))
    b = MeshBuilder()
    if rng.random() < 0.6:
        b.group = -0.2
        tracks = b.block((-0.5, 0.14), (-0.5, 0.5), (0.0, 0.24), (40, 40, 42), top_x=(-0.47, 0.11))
        for side in ("left", "right"):
            tracks.paint(side, (0.05, 0.95), (0.25, 0.7), (70, 70, 72), detail=False)
        house = b.block((-0.5, 0.1), (-0.46, 0.46), (0.26, 0.6), yellow)
        house.paint("back", (0.1, 0.9), (0.15, 0.85), (46, 46, 48), detail=False)
        for side in ("left", "right"):
            house.paint(side, (0.0, 1.0), (0.0, 0.12), (40, 40, 42), detail=False)
        cabin = b.block((-0.18, 0.1), (-0.06, 0.44), (0.6, 0.9), yellow, top_x=(-0.15, 0.07))
        for side in ("front", "left", "right", "back"):
            cabin.paint(side, (0.1, 0.9), (0.1, 0.9), paint.GLASS, detail=False)
        b.group = 0.22
        b.block((0.1, 0.34), (-0.26, -0.06), (0.42, 0.62), yellow, top_x=(0.2, 0.42), bottom=True)
        b.block((0.2, 0.42), (-0.26, -0.06), (0.62, 0.86), yellow, top_x=(0.3, 0.44), bottom=True)
        b.block((0.3, 0.46), (-0.25, -0.07), (0.86, 1.0), yellow, bottom=True)
        b.group = 0.44
        b.block((0.4, 0.46), (-0.24, -0.08), (0.26, 0.9), scaled(yellow, 0.9))
        b.block((0.36, 0.5), (-0.36, 0.04), (0.0, 0.28), (62, 62, 66), top_x=(0.4, 0.46))
    else:
        b.group = -0.24
        engine = b.block((-0.5, 0.0), (-0.42, 0.42), (0.22, 0.58), yellow)
        engine.paint("back", (0.12, 0.88), (0.2, 0.85), (46, 46, 48), detail=False)
        cabin = b.block((-0.24, 0.06), (-0.34, 0.34), (0.56, 1.0), yellow, top_x=(-0.22, 0.02))
        for side in ("front", "left", "right", "back"):
            cabin.paint(side, (0.08, 0.92), (0.1, 0.86), paint.GLASS, detail=False)
        _axles(b, size, 0.72, (-0.26,))
        b.group = 0.16
        b.block((0.0, 0.26), (-0.34, 0.34), (0.2, 0.5), yellow)
        _axles(b, size, 0.72, (0.14,))
        b.group = 0.4
        b.block((0.24, 0.36), (-0.3, 0.3), (0.14, 0.44), scaled(yellow, 0.85))
        scoop = b.block((0.34, 0.5), (-0.5, 0.5), (0.02, 0.36), (70, 70, 74), top_x=(0.34, 0.42))
        scoop.paint("front", (0.03, 0.97), (0.1, 0.9), (46, 46, 50), detail=False)
    return b.build(size)
