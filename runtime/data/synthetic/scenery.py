"""What stands beside the roads and is not annotated: houses, trees, lamp posts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely import STRtree
from shapely.geometry import Point, Polygon
from shapely.ops import unary_union
from shapely.prepared import prep

from runtime.data.synthetic import palette as paint
from runtime.data.synthetic.actor import Actor
from runtime.data.synthetic.layout import WALKWAY_WIDTH, Layout
from runtime.data.synthetic.mesh import Color, Mesh, MeshBuilder, scaled
from runtime.data.synthetic.road import Road
from runtime.geometry.boxes import ground_corners

Array = NDArray[np.float64]

_REACH = 62.0


@dataclass(frozen=True)
class Prop:
    """An unannotated solid at (x, y), with the box (width, length, height) that stops lidar beams."""

    mesh: Mesh
    x: float
    y: float
    yaw: float
    size: tuple[float, float, float]


class _Site:
    """Ground that is taken: streets, houses, and whatever stands still on the walkways."""

    def __init__(self, layout: Layout, actors: list[Actor]) -> None:
        self.streets = prep(unary_union([layout.drivable, *layout.walkways]))
        self.road = prep(layout.drivable.buffer(0.4))
        self.houses: list[Polygon] = []
        standing = [actor for actor in actors if actor.still]
        rows = [[*actor.pose(0.0)[0], 0.0, *actor.size, float(actor.pose(0.0)[1])] for actor in standing]
        self.others = STRtree([Polygon(corners).buffer(0.3) for corners in ground_corners(rows)])

    def free_for_house(self, shape: Polygon) -> bool:
        return not self.streets.intersects(shape) and not any(shape.intersects(h) for h in self.houses)

    def free_for_post(self, centre: Array) -> bool:
        point = Point(centre)
        return not self.road.intersects(point) and len(self.others.query(point, "intersects")) == 0


def add_scenery(layout: Layout, focus: Array, actors: list[Actor], rng: np.random.Generator) -> list[Prop]:
    """Houses, trees and posts along the roads within 62 m of `focus` (2,), clear of all that stands still."""
    props: list[Prop] = []
    site = _Site(layout, actors)
    density = float(rng.uniform(0.35, 0.9))  # how closely this street is built up
    for road in layout.roads:
        here = float(road.distance(focus)[0])
        ends = max(0.0, here - _REACH), min(road.length, here + _REACH)
        for side in (1.0, -1.0):
            props += _houses(site, road, ends, side, density, rng)
            props += _posts(site, road, ends, side, rng)
    return props


def _houses(
    site: _Site,
    road: Road,
    ends: tuple[float, float],
    side: float,
    density: float,
    rng: np.random.Generator,
) -> list[Prop]:
    """A row of houses behind the walkway, where there is room."""
    props = []
    s = ends[0] + rng.uniform(0, 8)
    while s < ends[1]:
        front, depth = float(rng.uniform(9.0, 20.0)), float(rng.uniform(8.0, 13.0))
        if rng.random() < density:
            d = side * (road.half_width + WALKWAY_WIDTH + rng.uniform(1.5, 5.0) + depth / 2)
            yaw = float(road.heading_at(s + front / 2)) + (np.pi if side > 0 else 0.0)
            centre = road.point(s + front / 2, d)
            shape = Polygon(ground_corners([[*centre, 0.0, depth, front, 1.0, yaw]])[0])
            if site.free_for_house(shape):
                site.houses.append(shape.buffer(0.5))
                props.append(_house(centre, yaw, front, depth, rng))
        s += front + rng.uniform(0.8, 5.0)
    return props


def _posts(
    site: _Site, road: Road, ends: tuple[float, float], side: float, rng: np.random.Generator
) -> list[Prop]:
    """Trees and lamp posts in turn along the outer edge of the walkway."""
    props = []
    step = float(rng.uniform(8.0, 14.0))
    for i, s in enumerate(np.arange(ends[0] + rng.uniform(0, step), ends[1], step)):
        lamp = i % 3 == 0
        d = road.half_width + (0.5 if lamp else WALKWAY_WIDTH - 0.4)
        centre = road.point(s, side * d)
        if not site.free_for_post(centre) or (not lamp and rng.random() < 0.3):
            continue
        towards_road = float(road.heading_at(s)) - side * np.pi / 2
        props.append(_lamp_post(centre, towards_road, rng) if lamp else _tree(centre, rng))
    return props


def _house(centre: Array, yaw: float, front: float, depth: float, rng: np.random.Generator) -> Prop:
    storeys = int(rng.integers(2, 6))
    height = 3.2 * storeys + 1.0
    wall = scaled(paint.pick(paint.FACADES, rng), float(rng.uniform(0.85, 1.05)))
    glass: Color = scaled(paint.GLASS, float(rng.uniform(0.9, 1.9)))
    b = MeshBuilder()
    block = b.block((-0.5, 0.5), (-0.5, 0.5), (0.0, 1.0), wall, top_color=scaled(wall, 0.7))
    for side, extent in (("front", depth), ("back", depth), ("left", front), ("right", front)):
        block.paint(side, (0.0, 1.0), (0.0, 1.0 / height), scaled(wall, 0.6))
        block.paint(side, (0.0, 1.0), (1.0 - 0.5 / height, 1.0), scaled(wall, 0.78))
        if side == "right":  # away from the street: nobody sees its windows
            continue
        columns = max(2, int(extent / 3.0))
        for storey in range(storeys):
            low = (1.0 + 3.2 * storey + 0.5) / height
            for column in range(columns):
                u = ((column + 0.22) / columns, (column + 0.78) / columns)
                block.paint(side, u, (low, low + 1.7 / height), glass)
    size = (depth, front, height)
    return Prop(b.build(size), float(centre[0]), float(centre[1]), yaw, size)


def _tree(centre: Array, rng: np.random.Generator) -> Prop:
    height = float(rng.uniform(4.5, 7.5))
    width = float(rng.uniform(2.4, 3.6))
    leaf = scaled(paint.pick(paint.LEAVES, rng), float(rng.uniform(0.85, 1.2)))
    b = MeshBuilder()
    b.column((0.0, 0.0), (0.0, 0.5), (0.06, 0.045), (92, 72, 54), sides=5)
    shades = tuple(float(v) for v in rng.uniform(0.8, 1.12, 7))
    b.column((0.0, 0.0), (0.36, 0.52), (0.26, 0.5), leaf, sides=7, bottom=True, shades=shades)
    b.column((0.0, 0.0), (0.52, 0.78), (0.5, 0.42), scaled(leaf, 1.08), sides=7, shades=shades)
    b.column((0.0, 0.0), (0.78, 1.0), (0.42, 0.1), scaled(leaf, 1.2), sides=7, shades=shades)
    mesh = b.build((width, width, height))
    # Beams meet the trunk at their height; the crown is above the lidar's rays within its range.
    return Prop(mesh, float(centre[0]), float(centre[1]), float(rng.uniform(0, 6.28)), (0.35, 0.35, height))


def _lamp_post(centre: Array, yaw: float, rng: np.random.Generator) -> Prop:
    b = MeshBuilder()
    steel: Color = (96, 102, 108)
    b.column((0.0, 0.0), (0.0, 1.0), (0.04, 0.025), steel, sides=5)
    b.block((-0.02, 0.5), (-0.06, 0.06), (0.97, 1.0), steel, bottom=True)
    height = float(rng.uniform(6.0, 7.5))
    return Prop(b.build((2.6, 2.6, height)), float(centre[0]), float(centre[1]), yaw, (0.2, 0.2, height))
