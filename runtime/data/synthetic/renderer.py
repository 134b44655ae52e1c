"""One camera image: sky, ground by homography, shadows, solids from back to front, haze, sensor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from runtime.data.synthetic.clipping import NEAR, clip_polygon, view_planes
from runtime.data.synthetic.ground_texture import GroundTexture
from runtime.data.synthetic.light import NOISE_ROOM, Light, sky_lookup
from runtime.data.synthetic.painter_order import painter_order
from runtime.data.synthetic.rig import Camera
from runtime.data.synthetic.solid import Solid
from runtime.geometry.camera import intrinsic_4x4
from runtime.geometry.frames import inverse

Array = NDArray[np.float64]
Image = NDArray[np.uint8]

_SHIFT: Final = 4  # fractional bits of the coordinates given to OpenCV
_FARTHEST: Final = 95.0
_DETAIL_PIXELS: Final = 26.0  # solids lower than this are painted without their small features
_SHADOW: Final = 0.42
# From so many metres ahead on, so many rows are rendered for each row of the image: far ground is compressed
# along the view, its rows are rendered finely and averaged. The last band shows the coarse texture.
_GROUND_BANDS: Final = ((0.0, 1), (8.0, 2), (18.0, 5))
_SKY_STEP: Final = 4


@dataclass(frozen=True)
class _View:
    """A camera at one moment: map to camera (4, 4), camera matrix, and where the eye is."""

    world2cam: Array
    intrinsic: Array
    eye: Array
    size: tuple[int, int]


class CameraRenderer:
    """Renders the images of one camera of a scene.

    Args:
        camera: its calibration.
        near: fine picture of the ground around the ego car's way.
        far: coarse picture of more of it.
        light: of the scene.
    """

    def __init__(self, camera: Camera, near: GroundTexture, far: GroundTexture, light: Light) -> None:
        self._camera = camera
        self._textures = (near, near, far)
        self._light = light
        width, height = camera.size
        focal = camera.intrinsic[0, 0]
        self._planes = view_planes(3 * width / focal, 3 * height / focal)
        self._sky_rays = self._pixel_rays(
            np.arange(0, width + _SKY_STEP, _SKY_STEP), np.arange(0, height + _SKY_STEP, _SKY_STEP)
        )
        self._keep, self._add = self._ground_haze()
        self._tone = self._tone_table()

    def render(self, ego2global: Array, solids: list[Solid], rng: np.random.Generator) -> Image:
        """The BGR image (H, W, 3) seen from an ego pose (4, 4) at the camera's own time stamp."""
        view = self._view(ego2global)
        visible = [solid for solid in solids if self._in_view(solid.centre, solid.radius, view)]
        image, horizon = self._ground(view)
        self._cast_shadows(image, view, visible)
        image = _uint8(cv2.add(cv2.multiply(image, self._keep, scale=1 / 255), self._add))
        self._sky(image, ego2global, horizon)
        self._paint_solids(image, view, visible)
        return self._expose(image, rng)

    # -- sky and ground

    def _pixel_rays(self, columns: NDArray[np.int64], rows: NDArray[np.int64]) -> Array:
        """Directions (R, C, 3) in the ego frame through pixels."""
        u, v = np.meshgrid(columns, rows)
        rays = np.stack([u, v, np.ones_like(u)], axis=-1) @ np.linalg.inv(self._camera.intrinsic).T
        return np.asarray(rays @ self._camera.cam2ego[:3, :3].T)

    def _ground_haze(self) -> tuple[Image, Image]:
        """What is kept of the ground and what the air adds, per pixel; the car's sway hardly matters."""
        width, height = self._camera.size
        rays = self._pixel_rays(np.linspace(0, width - 1, 16).astype(np.int64), np.arange(height))
        down = np.maximum(-rays[..., 2], 1e-6)
        depth = self._camera.cam2ego[2, 3] * np.linalg.norm(rays[..., :2], axis=-1) / down
        share = self._light.faded(np.minimum(depth, 1e4))[..., None]
        keep = np.repeat(np.round(255 * (1 - share)), 3, axis=2).astype(np.uint8)
        add = np.round(share * self._light.haze).clip(0, 255).astype(np.uint8)
        return _uint8(cv2.resize(keep, (width, height))), _uint8(cv2.resize(add, (width, height)))

    def _ground(self, view: _View) -> tuple[Image, Array]:
        """The ground below the horizon, and the horizon as a line (3,): a u + b v + c > 0 is below it."""
        width, height = view.size
        # OpenCV's inverse: LAPACK would start its threads for nine numbers.
        image2map = np.asarray(cv2.invert(view.intrinsic @ view.world2cam[:3][:, [0, 1, 3]])[1], np.float64)
        horizon = image2map[2] / np.linalg.norm(image2map[2, :2])
        if horizon[1] < 0:
            horizon = -horizon
        ends = -(horizon[0] * np.array([0, width - 1]) + horizon[2]) / horizon[1]
        middle = float(ends.mean())
        top = int(np.clip(np.floor(ends.min()), 0, height))
        drop = view.intrinsic[1, 1] * view.eye[2]  # pixels below the horizon times metres ahead
        image = np.empty((height, width, 3), dtype=np.uint8)
        last = height
        for i, (texture, (_, fine)) in enumerate(zip(self._textures, _GROUND_BANDS, strict=True)):
            first = top
            if i + 1 < len(_GROUND_BANDS):
                first = int(np.clip(round(middle + drop / _GROUND_BANDS[i + 1][0]), top, last))
            if first < last:
                image[first:last] = _ground_rows(texture, image2map, first, last, width, fine)
            last = first
        return image, horizon

    def _sky(self, image: Image, ego2global: Array, horizon: Array) -> None:
        """Paint the sky above the horizon, in place."""
        height, width = image.shape[:2]
        ends = -(horizon[0] * np.array([0, width - 1]) + horizon[2]) / horizon[1]
        bottom = int(np.clip(np.ceil(ends.max()) + 1, 0, height))
        if bottom == 0:
            return
        # The sky is smooth: every fourth pixel is looked up, the rest lies between.
        coarse = self._sky_rays[: bottom // _SKY_STEP + 2] @ ego2global[:3, :3].T
        column, row = sky_lookup(coarse)
        sky = cv2.remap(self._light.panorama, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        sky = cv2.resize(sky, (sky.shape[1] * _SKY_STEP, sky.shape[0] * _SKY_STEP))[:bottom, :width]
        edges = np.array([[0, 0], [width - 1, 0], [width - 1, ends[1]], [0, ends[0]]])
        mask = np.zeros((bottom, width), dtype=np.uint8)
        cv2.fillConvexPoly(mask, np.round(edges * 2**_SHIFT).astype(np.int32), (255,), cv2.LINE_8, _SHIFT)
        cv2.copyTo(sky, mask, image[:bottom])

    # -- solids

    def sees(self, centre: Array, radius: float, ego2global: Array) -> bool:
        """Whether something of a radius in metres around a map point (2,) may be in the picture."""
        return self._in_view(centre, radius, self._view(ego2global))

    def _view(self, ego2global: Array) -> _View:
        cam2world = ego2global @ self._camera.cam2ego
        return _View(inverse(cam2world), self._camera.intrinsic, cam2world[:3, 3], self._camera.size)

    def _in_view(self, centre: Array, radius: float, view: _View) -> bool:
        x, _, depth = view.world2cam[:3, :2] @ centre + view.world2cam[:3, 3]
        if depth < NEAR - radius or depth > _FARTHEST:
            return False
        focal, width = view.intrinsic[0, 0], view.size[0]
        reach = max(view.intrinsic[0, 2], width - view.intrinsic[0, 2]) / focal
        return bool(abs(x) < reach * depth + radius * np.hypot(1.0, reach) + 1.0)

    def _project(self, faces: Array, view: _View) -> tuple[list[NDArray[np.int32] | None], Array]:
        """Pixels of faces (F, 8, 3) as OpenCV wants them (None: out of sight), and their mean depths (F,)."""
        camera = faces @ view.world2cam[:3, :3].T + view.world2cam[:3, 3]
        depth = camera[..., 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            pixels = camera[..., :2] / depth[..., None] * np.diag(view.intrinsic)[:2] + view.intrinsic[:2, 2]
        limit = 3.0 * view.size[0]
        whole = (depth > NEAR).all(axis=1) & (np.abs(pixels) < limit).all(axis=(1, 2))
        fixed = np.round(np.where(whole[:, None, None], pixels, 0.0) * 2**_SHIFT).astype(np.int32)
        polygons: list[NDArray[np.int32] | None] = list(fixed)
        for i in np.flatnonzero(~whole):
            polygons[i] = None
            if (depth[i] > NEAR).any():
                inside = clip_polygon(camera[i], self._planes)
                if len(inside) >= 3:
                    uv = inside[:, :2] / inside[:, 2:] * np.diag(view.intrinsic)[:2] + view.intrinsic[:2, 2]
                    polygons[i] = np.round(uv * 2**_SHIFT).astype(np.int32)
        return polygons, depth.mean(axis=1)

    def _cast_shadows(self, image: Image, view: _View, solids: list[Solid]) -> None:
        if not solids:
            return
        mask = np.zeros(image.shape[:2], dtype=np.uint8)
        for polygon in self._project(np.stack([solid.shadow for solid in solids]), view)[0]:
            if polygon is not None:
                cv2.fillConvexPoly(mask, polygon, (255,), cv2.LINE_8, _SHIFT)
        shade = cv2.convertScaleAbs(
            cv2.blur(mask, (3, 3)), alpha=-_SHADOW * (0.5 + self._light.direct), beta=255
        )
        cv2.multiply(image, cv2.merge([shade, shade, shade]), dst=image, scale=1 / 255)

    def _paint_solids(self, image: Image, view: _View, solids: list[Solid]) -> None:
        if not solids:
            return
        order = painter_order(np.stack([solid.footprint for solid in solids]), view.eye[:2])
        ordered = [solids[i] for i in order]
        rank = np.concatenate([np.full(len(s.colors), i) for i, s in enumerate(ordered)])
        faces = np.concatenate([solid.corners for solid in ordered])
        normals = np.concatenate([solid.normals for solid in ordered])
        colors = np.concatenate([solid.colors for solid in ordered])
        # Parts of one solid: the part that is nearest to the eye along the solid's own axis comes last.
        parts = np.concatenate([np.abs(s.group_x - (view.eye[:2] - s.centre) @ s.axis) for s in ordered])
        plain = np.concatenate([self._plain(solid, view) for solid in ordered])
        shown = (np.sum(normals * (view.eye - faces[:, 0]), axis=1) > 0) & ~plain
        sequence = np.lexsort((np.arange(len(rank)), -np.round(parts, 3), rank))
        sequence = sequence[shown[sequence]]
        polygons, depth = self._project(faces[sequence], view)
        haze = self._light.faded(depth)[:, None]
        tinted = (colors[sequence] * (1 - haze) + self._light.haze * haze).clip(0, 255).tolist()
        for polygon, color in zip(polygons, tinted, strict=True):
            if polygon is not None:
                cv2.fillConvexPoly(image, polygon, color, cv2.LINE_AA, _SHIFT)

    def _plain(self, solid: Solid, view: _View) -> NDArray[np.bool_]:
        """Which faces are too small to be painted at this distance."""
        distance = max(NEAR, float(np.linalg.norm(solid.centre - view.eye[:2])) - solid.radius)
        if view.intrinsic[0, 0] * solid.height / distance > _DETAIL_PIXELS:
            return np.zeros(len(solid.detail), dtype=bool)
        return solid.detail

    # -- sensor

    def _tone_table(self) -> Image:
        levels = np.arange(256)[:, None] * self._light.gain * self._light.cast
        return np.clip(np.round(levels), 0, 255).astype(np.uint8)[:, None, :]

    def _expose(self, image: Image, rng: np.random.Generator) -> Image:
        """Exposure with a little jitter, lens shading and noise."""
        height, width = image.shape[:2]
        jitter = float(rng.uniform(0.97, 1.03))
        exposed = cv2.LUT(image, self._tone.transpose(1, 0, 2))
        exposed = cv2.multiply(exposed, _lens_shading(width, height), scale=jitter / 255)
        row, column = rng.integers(NOISE_ROOM, size=2)
        up, down = self._light.noise[:, row : row + height, column : column + width]
        return _uint8(cv2.subtract(cv2.add(exposed, up), down))


def _ground_rows(
    texture: GroundTexture, image2map: Array, first: int, last: int, width: int, fine: int
) -> Image:
    """Rows `first` to `last` of the ground, each the mean of `fine` rows."""
    # Row r of the fine picture is row first + (r + 0.5) / fine - 0.5 of the image.
    fine2image = np.array([[1.0, 0.0, 0.0], [0.0, 1 / fine, first + 0.5 / fine - 0.5], [0.0, 0.0, 1.0]])
    rows = cv2.warpPerspective(
        texture.image,
        texture.map2pixel() @ image2map @ fine2image,
        (width, (last - first) * fine),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=texture.beyond,
    )
    if fine > 1:
        rows = cv2.resize(rows, (width, last - first), interpolation=cv2.INTER_AREA)
    return _uint8(rows)


def _uint8(image: ArrayLike) -> Image:
    return np.asarray(image, dtype=np.uint8)


@lru_cache(maxsize=4)
def _lens_shading(width: int, height: int) -> Image:
    u, v = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-0.56, 0.56, height))
    shade = 255 * (1 - 0.13 * (u * u + v * v))
    return np.repeat(shade[:, :, None], 3, axis=2).round().astype(np.uint8)


def world2image(camera: Camera, ego2global: Array) -> Array:
    """Map metres to pixels (4, 4) of a camera at an ego pose: what `CameraRenderer` renders with."""
    return intrinsic_4x4(camera.intrinsic) @ inverse(ego2global @ camera.cam2ego)
