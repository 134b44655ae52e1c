"""Convex faces in three dimensions: how every solid of the synthetic world is built.

Convention:
    A model is built in its own box: x forward in [-0.5, 0.5] of the length, y left in [-0.5, 0.5] of the
    width, z up in [0, 1] of the height; the origin is on the ground below the centre. Faces are convex, wound
    counter-clockwise seen from outside, and are painted in the order in which they were added; only the
    `group`s (parts lying one behind the other along x) are ordered by their distance from the camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Color = tuple[float, float, float]

MAX_CORNERS: Final = 8


@dataclass(frozen=True)
class Mesh:
    """A solid in metres.

    Args:
        corners: (F, 8, 3), the last corner repeated where a face has fewer.
        normals: (F, 3), unit length, outward.
        colors: (F, 3), RGB of 0..255.
        group_x: (F,), where along x in metres the part lies that a face belongs to.
        detail: (F,), bool; small features that are left out when the solid is far away.
        glow: (F,), bool; faces that are not shaded (lamps).
    """

    corners: Array
    normals: Array
    colors: Array
    group_x: Array
    detail: NDArray[np.bool_]
    glow: NDArray[np.bool_]

    @property
    def footprint(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 of the solid seen from above, metres."""
        flat = self.corners.reshape(-1, 3)
        low, high = flat.min(axis=0), flat.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


class MeshBuilder:
    """Collects the faces of one model in box coordinates."""

    def __init__(self) -> None:
        self._corners: list[Array] = []
        self._colors: list[Color] = []
        self._groups: list[float] = []
        self._detail: list[bool] = []
        self._glow: list[bool] = []
        self.group = 0.0

    def face(self, corners: ArrayLike, color: Color, *, detail: bool = False, glow: bool = False) -> None:
        """Add one convex face (N <= 8, 3), counter-clockwise from outside."""
        array = np.asarray(corners, dtype=np.float64)
        padding = np.repeat(array[-1:], MAX_CORNERS - len(array), axis=0)
        self._corners.append(np.concatenate([array, padding]))
        self._colors.append(color)
        self._groups.append(self.group)
        self._detail.append(detail)
        self._glow.append(glow)

    def block(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        z: tuple[float, float],
        color: Color,
        *,
        top_x: tuple[float, float] | None = None,
        top_y: tuple[float, float] | None = None,
        top_color: Color | None = None,
        bottom: bool = False,
    ) -> Block:
        """A box, or with `top_x`, `top_y` a box with slanted sides; returns it for painting on its sides."""
        tx, ty = top_x or x, top_y or y
        low = np.array([[x[1], y[1]], [x[0], y[1]], [x[0], y[0]], [x[1], y[0]]])
        high = np.array([[tx[1], ty[1]], [tx[0], ty[1]], [tx[0], ty[0]], [tx[1], ty[0]]])
        base = np.column_stack([low, np.full(4, z[0])])
        top = np.column_stack([high, np.full(4, z[1])])
        # Each side: bottom left, bottom right, top right, top left as one who stands before it sees it.
        sides = {
            "front": np.stack([base[3], base[0], top[0], top[3]]),
            "left": np.stack([base[0], base[1], top[1], top[0]]),
            "back": np.stack([base[1], base[2], top[2], top[1]]),
            "right": np.stack([base[2], base[3], top[3], top[2]]),
        }
        for corners in sides.values():
            self.face(corners, color)
        self.face(top, top_color or color)
        if bottom:
            self.face(base[::-1], color)
        return Block(self, sides)

    def column(
        self,
        centre: tuple[float, float],
        z: tuple[float, float],
        radius: tuple[float, float],
        color: Color,
        *,
        sides: int = 6,
        bottom: bool = False,
        shades: Sequence[float] | None = None,
    ) -> None:
        """A round column with radius[0] at the bottom and radius[1] at the top."""
        angle = np.arange(sides) * 2 * np.pi / sides + 0.3
        ring = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        low = np.column_stack([ring * radius[0] + centre, np.full(sides, z[0])])
        high = np.column_stack([ring * radius[1] + centre, np.full(sides, z[1])])
        for i in range(sides):
            j = (i + 1) % sides
            shade = shades[i % len(shades)] if shades else 1.0
            self.face(np.stack([low[i], low[j], high[j], high[i]]), scaled(color, shade))
        if radius[1] > 1e-3:
            self.face(high, color)
        if bottom:
            self.face(low[::-1], scaled(color, 0.7))

    def wheel(self, x: float, radius: tuple[float, float], y: float, color: Color, hub: Color) -> None:
        """A wheel seen from the side, on the ground at x; y > 0 faces left. `radius` is along x and z."""
        angle = np.arange(MAX_CORNERS) * 2 * np.pi / MAX_CORNERS
        if y > 0:
            angle = -angle
        for share, paint, detail in ((1.0, color, False), (0.5, hub, True)):
            rim = np.column_stack(
                [
                    x + share * radius[0] * np.cos(angle),
                    np.full(MAX_CORNERS, y),
                    radius[1] * (1.0 + share * np.sin(angle)),
                ]
            )
            self.face(rim, paint, detail=detail)

    def build(self, size: tuple[float, float, float]) -> Mesh:
        """The model scaled to width, length and height in metres."""
        scale = np.array([size[1], size[0], size[2]])
        corners = np.stack(self._corners) * scale
        # Newell's method: exact for planes, and repeated corners add nothing.
        following = np.roll(corners, -1, axis=1)
        normals = np.cross(corners, following).sum(axis=1)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        return Mesh(
            corners,
            normals,
            np.asarray(self._colors, dtype=np.float64),
            np.asarray(self._groups) * size[1],
            np.asarray(self._detail),
            np.asarray(self._glow),
        )


class Block:
    """The four upright sides of a block, to paint windows and lamps on."""

    def __init__(self, builder: MeshBuilder, sides: dict[str, Array]) -> None:
        self._builder = builder
        self._sides = sides

    def paint(
        self,
        side: str,
        u: tuple[float, float],
        v: tuple[float, float],
        color: Color,
        *,
        detail: bool = True,
        glow: bool = False,
    ) -> None:
        """Paint the part u (left to right) x v (bottom to top), both in 0..1, of one side."""
        bottom_left, bottom_right, top_right, top_left = self._sides[side]

        def at(a: float, b: float) -> Array:
            low = bottom_left + a * (bottom_right - bottom_left)
            return np.asarray(low + b * (top_left + a * (top_right - top_left) - low))

        corners = [at(u[0], v[0]), at(u[1], v[0]), at(u[1], v[1]), at(u[0], v[1])]
        self._builder.face(corners, color, detail=detail, glow=glow)


def scaled(color: Color, factor: float) -> Color:
    """A colour made darker or lighter."""
    red, green, blue = (float(min(255.0, value * factor)) for value in color)
    return red, green, blue
