"""Meshes placed in the world, shaded and ready to be projected."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.data.synthetic.light import Light
from runtime.data.synthetic.mesh import MAX_CORNERS, Mesh

Array = NDArray[np.float64]

_LONGEST_SHADOW = 4.0


@dataclass(frozen=True)
class Solid:
    """One mesh at one place.

    Args:
        corners: (F, 8, 3), map metres.
        normals: (F, 3).
        colors: (F, 3), BGR in the scene's light, before haze.
        detail: (F,), features to leave out from afar.
        group_x: (F,), metres along `axis` from the middle of the part that a face belongs to.
        centre: (2,) map metres; `axis` (2,) unit vector of the heading.
        footprint: (4, 2), corners counter-clockwise seen from above.
        radius, height: metres.
        shadow: (8, 3), outline of its shadow on the ground.
    """

    corners: Array
    normals: Array
    colors: Array
    detail: NDArray[np.bool_]
    group_x: Array
    centre: Array
    axis: Array
    footprint: Array
    radius: float
    height: float
    shadow: Array


class SolidFactory:
    """Shades a mesh once for each of its headings and moves it about.

    Args:
        light: of the scene.
    """

    def __init__(self, light: Light) -> None:
        self._light = light

    def place(self, mesh: Mesh, x: float, y: float, yaw: float) -> Solid:
        """The mesh standing at (x, y) metres with a heading in radians."""
        cos, sin = np.cos(yaw), np.sin(yaw)
        turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])  # for row vectors
        normals = mesh.normals @ turn
        centre = np.array([x, y])
        x0, y0, x1, y1 = mesh.footprint
        flat = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
        footprint = flat @ turn[:2, :2] + centre
        height = float(mesh.corners[..., 2].max())
        return Solid(
            corners=mesh.corners @ turn + (x, y, 0.0),
            normals=normals,
            colors=self._light.shade(mesh.colors, normals, mesh.glow)[:, ::-1],
            detail=mesh.detail,
            group_x=mesh.group_x,
            centre=centre,
            axis=np.array([cos, sin]),
            footprint=footprint,
            radius=float(np.hypot(flat[:, 0], flat[:, 1]).max()),
            height=height,
            shadow=self._shadow(footprint, height),
        )

    def _shadow(self, footprint: Array, height: float) -> Array:
        sun = self._light.sun
        reach = sun[:2] / sun[2] * min(height, _LONGEST_SHADOW)
        middle = footprint.mean(axis=0)
        # A little larger than the footprint: under an overcast sky that is all the shadow there is.
        ground = middle + (footprint - middle) * 1.06
        sharpness = self._light.direct / 0.5
        points = np.concatenate([ground, ground - reach * sharpness]) - middle
        hull = cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64) + middle
        padded = np.concatenate([hull, np.repeat(hull[-1:], MAX_CORNERS - len(hull), axis=0)])
        return np.column_stack([padded, np.zeros(MAX_CORNERS)])
