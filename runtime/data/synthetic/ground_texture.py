"""The ground of a scene as a picture from above: asphalt, kerbs, paint, walkways, grass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from runtime.data.synthetic.layout import Layout, ParkingStrip, polygons_of
from runtime.data.synthetic.road import Road

Array = NDArray[np.float64]
Image = NDArray[np.uint8]
Bgr = tuple[int, int, int]

PAINT: Final[Bgr] = (238, 240, 242)
YELLOW: Final[Bgr] = (40, 186, 240)
KERB: Final[Bgr] = (206, 210, 214)
_SHIFT: Final = 6  # fractional bits of the coordinates given to OpenCV
_KERB_WIDTH: Final = 0.32
_DIVIDER_WIDTH: Final = 0.24
_DASH, _DASH_GAP = 2.6, 1.6
_NOISE_SIDE: Final = 512


@dataclass(frozen=True)
class GroundTexture:
    """A picture of the ground and where it lies.

    Convention: north up; pixel (column, row) is at x = x0 + (column + 0.5) * metres,
    y = y1 - (row + 0.5) * metres.

    Args:
        image: BGR.
        x0, y1: map position of the top left corner, metres.
        metres: side of a pixel.
        beyond: BGR of the ground outside.
    """

    image: Image
    x0: float
    y1: float
    metres: float
    beyond: Bgr

    def map2pixel(self) -> Array:
        """Homography (3, 3) from (x, y, 1) in metres to (column, row, 1)."""
        m = self.metres
        return np.array([[1 / m, 0.0, -self.x0 / m - 0.5], [0.0, -1 / m, self.y1 / m - 0.5], [0.0, 0.0, 1.0]])


class _Canvas:
    """Drawing in map metres, with fractions of a pixel, on a BGR picture."""

    def __init__(self, image: Image, x0: float, y1: float, metres: float) -> None:
        self.image = image
        self._origin = np.array([x0, y1])
        self._metres = metres

    def shows(self, xy: Array) -> NDArray[np.bool_]:
        """Which of the points (N, 2) lie on the picture."""
        pixels = (xy - self._origin) * (1, -1) / self._metres
        return np.asarray(((pixels >= 0) & (pixels < self.image.shape[1::-1])).all(axis=1))

    def _points(self, xy: Array) -> NDArray[np.int32]:
        pixels = (np.asarray(xy) - self._origin) * (1, -1) / self._metres - 0.5
        return np.round(pixels * 2**_SHIFT).astype(np.int32)

    def fill(self, xy: Array, color: Bgr) -> None:
        cv2.fillPoly(self.image, [self._points(xy)], color, cv2.LINE_AA, _SHIFT)

    def fill_geometry(self, geometry: BaseGeometry, color: Bgr) -> None:
        for polygon in polygons_of(geometry):
            rings = [polygon.exterior, *polygon.interiors]
            points = [self._points(np.asarray(ring.coords)) for ring in rings]
            cv2.fillPoly(self.image, points, color, cv2.LINE_AA, _SHIFT)

    def hairline(self, ends: Array, color: Bgr) -> None:
        """A line one pixel wide between two points (2, 2)."""
        start, end = self._points(ends).tolist()
        cv2.line(self.image, start, end, color, 1, cv2.LINE_AA, _SHIFT)

    def band(self, xy: Array, width: float, color: Bgr) -> None:
        """A gently bent line (N, 2) of a width in metres with square ends."""
        aside = _parallel(xy, width / 2) - xy
        self.fill(np.concatenate([xy + aside, (xy - aside)[::-1]]), color)


def paint_ground(
    layout: Layout, bounds: tuple[float, float, float, float], metres: float, rng: np.random.Generator
) -> GroundTexture:
    """Paint the part of a layout within `bounds` (x0, y0, x1, y1) at `metres` a pixel.

    Equal states of `rng` give equal colours and patches, whatever the bounds and the resolution.
    """
    x0, y0, x1, y1 = bounds
    width, height = (int(np.ceil(extent / metres)) for extent in (x1 - x0, y1 - y0))
    tint = rng.integers(-8, 9, 3)
    grass = _bgr(np.array((66, 116, 96)) + tint)
    asphalt = _bgr(np.array((78, 76, 75)) + int(rng.integers(-12, 14)) + tint // 3)
    walkway = _bgr(np.array((142, 150, 156)) + int(rng.integers(-12, 12)) + tint // 3)
    image = np.full((height, width, 3), grass, dtype=np.uint8)
    canvas = _Canvas(image, x0, y1, metres)
    _surfaces(canvas, layout, asphalt, walkway, rng)
    _add_grain(image, rng)
    _markings(canvas, layout)
    return GroundTexture(image, x0, y1, metres, grass)


def _surfaces(canvas: _Canvas, layout: Layout, asphalt: Bgr, walkway: Bgr, rng: np.random.Generator) -> None:
    for polygon in layout.walkways:
        canvas.fill_geometry(polygon, walkway)
        canvas.fill_geometry(polygon.exterior.buffer(0.06), _shade(walkway, 0.8))
    _slabs(canvas, layout, _shade(walkway, 0.86))
    canvas.fill_geometry(layout.drivable.buffer(_KERB_WIDTH, join_style="mitre"), KERB)
    canvas.fill_geometry(layout.drivable, _shade(asphalt, 0.72))  # the gutter, in shadow of the kerb
    canvas.fill_geometry(layout.drivable.buffer(-0.22, join_style="mitre"), asphalt)
    for strip in layout.parking_strips:
        canvas.fill(strip.polygon, _shade(asphalt, 1.12))
    # Patches of newer and older asphalt: dark and light areas that mean nothing.
    for _ in range(26):
        road = layout.roads[int(rng.integers(len(layout.roads)))]
        s, d = rng.uniform(0, road.length), rng.uniform(-0.8, 0.8) * road.half_width
        length, width = rng.uniform(1.0, 6.0), rng.uniform(0.4, 1.6)
        if abs(d) + width / 2 < road.half_width - 0.5:
            patch = road.strip(s, s + length, d - width / 2, d + width / 2)
            canvas.fill(patch, _shade(asphalt, float(rng.uniform(0.82, 1.1))))


def _slabs(canvas: _Canvas, layout: Layout, color: Bgr) -> None:
    """Joints between the slabs, across the walkways of each road."""
    for road in layout.roads:
        s = np.arange(0.0, road.length, 1.6)
        for side in (1.0, -1.0):
            inner = road.point(s, side * road.half_width)
            outer = road.point(s, side * (road.half_width + 3.1))
            shown = canvas.shows(inner) & canvas.shows(outer)
            if layout.junction is not None:
                middle = (inner + outer) / 2
                shown &= shapely.distance(shapely.points(middle), layout.junction) > 4.5
            for ends in np.stack([inner, outer], axis=1)[shown]:
                canvas.hairline(ends, color)


def _add_grain(image: Image, rng: np.random.Generator) -> None:
    """Fine and coarse unevenness, added in place; one random tile, repeated."""
    fine = rng.normal(0.0, 5.0, (_NOISE_SIDE, _NOISE_SIDE)).astype(np.float32)
    for cells, strength in ((16, 5.0), (64, 4.0)):
        coarse = rng.normal(0.0, strength, (cells, cells)).astype(np.float32)
        wrapped = np.pad(coarse, 1, mode="wrap")
        scale = _NOISE_SIDE // cells
        grown = cv2.resize(wrapped, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        fine += grown[scale : scale + _NOISE_SIDE, scale : scale + _NOISE_SIDE]
    tile = np.repeat(fine[:, :, None], 3, axis=2)
    up = np.clip(tile, 0, 255).astype(np.uint8)
    down = np.clip(-tile, 0, 255).astype(np.uint8)
    height, width = image.shape[:2]
    for row in range(0, height, _NOISE_SIDE):
        for column in range(0, width, _NOISE_SIDE):
            part = image[row : row + _NOISE_SIDE, column : column + _NOISE_SIDE]
            h, w = part.shape[:2]
            part[:] = cv2.subtract(cv2.add(part, up[:h, :w]), down[:h, :w])


def _markings(canvas: _Canvas, layout: Layout) -> None:
    for line in layout.road_dividers:
        for offset in (-0.19, 0.19):
            canvas.band(_parallel(line, offset), 0.17, YELLOW)
    for line in layout.lane_dividers:
        for dash in _dashes(line):
            canvas.band(dash, _DIVIDER_WIDTH, PAINT)
    for strip in layout.parking_strips:
        _bays(canvas, layout.roads[strip.road], strip)
    for crossing in layout.crossings:
        _zebra(canvas, crossing.polygon)
    for stop in layout.stop_lines:
        canvas.fill(stop.polygon, PAINT)


def _parallel(line: Array, offset: float) -> Array:
    tangent = np.gradient(line, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    return np.asarray(line + offset * np.stack([-tangent[:, 1], tangent[:, 0]], axis=-1))


def _dashes(line: Array) -> list[Array]:
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    dashes = []
    for start in np.arange(0.0, length[-1] - 0.5, _DASH + _DASH_GAP):
        s = np.linspace(start, min(start + _DASH, length[-1]), 3)
        dashes.append(np.stack([np.interp(s, length, line[:, 0]), np.interp(s, length, line[:, 1])], axis=-1))
    return dashes


def _bays(canvas: _Canvas, road: Road, strip: ParkingStrip) -> None:
    """Short marks across a parking strip, every six metres."""
    inner, outer = road.lanes * road.lane_width, road.half_width - 0.3
    offsets = strip.side * np.array([inner + 0.1, (inner + outer) / 2])
    for s in np.arange(strip.s0, strip.s1, 6.0):
        canvas.band(road.point([s, s], offsets), 0.12, _shade(PAINT, 0.8))


def _zebra(canvas: _Canvas, polygon: Array) -> None:
    """Two solid lines along the long edges and bars between them, in the direction of traffic."""
    a0, a1, b1, b0 = polygon  # a0-a1 and b0-b1 run along the road; a-b crosses it
    width = float(np.linalg.norm(b0 - a0))
    bars = max(3, round(width / 1.3))
    for i in range(bars):
        u0, u1 = (i + 0.22) / bars, (i + 0.78) / bars
        quad = np.stack([_mix(a0, b0, u0), _mix(a0, b0, u1), _mix(a1, b1, u1), _mix(a1, b1, u0)])
        canvas.fill(quad, PAINT)
    for start, end in ((a0, b0), (a1, b1)):
        canvas.band(np.stack([start, end]), 0.3, PAINT)


def _mix(a: Array, b: Array, share: float) -> Array:
    return np.asarray(a + share * (b - a))


def _bgr(values: NDArray[Any]) -> Bgr:
    blue, green, red = (int(np.clip(value, 0, 255)) for value in values)
    return blue, green, red


def _shade(color: Bgr, factor: float) -> Bgr:
    return _bgr(np.array(color) * factor)
