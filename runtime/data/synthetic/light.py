"""Light and air of a scene: sun, sky, haze, exposure, sensor noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Image = NDArray[np.uint8]

_PANORAMA: Final = (2048, 256)  # columns around the horizon, rows from 45 degrees up down to the horizon
_GRAIN: Final = 256  # side of the tile of noise
NOISE_ROOM: Final = 64
"""Pixels by which the noise is larger than the image, so that each image can cut out another piece."""

_SKY_TOP: Final = np.radians(45.0)


@dataclass(frozen=True)
class Light:
    """Args:
    sun: (3,) unit vector towards the sun.
    direct, ambient: strength of sunlight and of skylight; together about 1.
    haze: (3,) BGR colour that distance fades into.
    visibility: metres after which a share 1 - 1/e has faded.
    panorama: (256, 2048, 3) BGR sky over all azimuths, counter-clockwise from east.
    noise: (2, H, W, 3) positive and negative part of the sensor noise, larger than any image.
    gain: exposure.
    cast: (3,) BGR white balance.
    """

    sun: Array
    direct: float
    ambient: float
    haze: Array
    visibility: float
    panorama: Image
    noise: Image
    gain: float
    cast: Array

    def shade(self, colors: Array, normals: Array, glow: NDArray[np.bool_]) -> Array:
        """Colours (F, 3) of faces with normals (F, 3) in this light."""
        strength = self.ambient + self.direct * np.clip(normals @ self.sun, 0.0, None)
        # A little more light from above than from below keeps sides in shadow apart from each other.
        strength = strength + 0.06 * normals[:, 2] + 0.03 * normals[:, 0]
        strength[glow] = 1.0
        return np.asarray(colors * strength[:, None])

    def faded(self, depth: Array) -> Array:
        """Share of haze (N,) at depths (N,) in metres."""
        return np.asarray(1.0 - np.exp(-np.clip(depth, 0.0, None) / self.visibility))


def draw_light(image_size: tuple[int, int], rng: np.random.Generator) -> Light:
    """A time of day and a weather for a scene with images of (width, height)."""
    overcast = float(np.clip(rng.normal(0.35, 0.3), 0.0, 1.0))
    elevation, azimuth = np.radians(rng.uniform(28, 65)), rng.uniform(0, 2 * np.pi)
    sun = np.array(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)]
    )
    direct = 0.5 * (1 - 0.75 * overcast)
    blue, grey = np.array([226.0, 172.0, 112.0]), np.array([206.0, 202.0, 198.0])
    zenith = (1 - overcast) * blue + overcast * grey
    haze = 0.35 * zenith + 0.65 * np.array([226.0, 222.0, 216.0])
    panorama = _paint_sky(zenith, haze, overcast, rng)
    width, height = image_size
    grain = rng.standard_normal((_GRAIN, _GRAIN, 3), dtype=np.float32) * rng.uniform(1.5, 3.0)
    parts = np.stack([np.clip(grain, 0, 255), np.clip(-grain, 0, 255)]).round().astype(np.uint8)
    times = (1, -(-(height + NOISE_ROOM) // _GRAIN), -(-(width + NOISE_ROOM) // _GRAIN), 1)
    noise = np.tile(parts, times)
    return Light(
        sun,
        direct,
        0.92 - 0.75 * direct,
        haze,
        float(rng.uniform(130, 260)),
        panorama,
        noise,
        float(rng.uniform(0.88, 1.06)),
        1.0 + rng.normal(0.0, 0.012, 3),
    )


def _paint_sky(zenith: Array, haze: Array, overcast: float, rng: np.random.Generator) -> Image:
    columns, rows = _PANORAMA
    height = np.linspace(1.0, 0.0, rows)[:, None, None] ** 0.7
    sky = haze + (zenith - haze) * height
    clouds = np.zeros((rows, columns), dtype=np.float32)
    for cells, strength in ((12, 1.0), (24, 0.5), (48, 0.3)):
        coarse = rng.normal(0.0, strength, (max(2, cells // 3), cells)).astype(np.float32)
        coarse = np.concatenate([coarse, coarse[:, :1]], axis=1)
        clouds += cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    cover = np.clip(clouds - 0.5 + 0.8 * overcast, 0.0, 1.0)[:, :, None] * (1 - 0.5 * overcast)
    sky = sky + (np.array([248.0, 246.0, 244.0]) - sky) * cover * 0.7
    picture: Image = np.clip(sky, 0, 255).astype(np.uint8)
    _paint_skyline(picture, haze, rng)
    return picture


def _paint_skyline(picture: Image, haze: Array, rng: np.random.Generator) -> None:
    """Hazy outlines of far houses and trees along the horizon, in place."""
    rows, columns = picture.shape[:2]
    for color, low, high in ((0.84, 0.05, 0.16), (0.72, 0.03, 0.10)):
        column = 0
        while column < columns:
            width = int(rng.integers(12, 60))
            top = rows - int(rows * rng.uniform(low, high))
            shade = haze * (color + rng.uniform(-0.04, 0.04)) * (1.0, 1.0, 0.98)
            picture[top:, column : column + width] = np.clip(shade, 0, 255).astype(np.uint8)
            column += width + int(rng.integers(0, 14))


def sky_lookup(directions: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where in the panorama (column, row) the viewing directions (H, W, 3) fall, for `cv2.remap`."""
    columns, rows = _PANORAMA
    azimuth = np.arctan2(directions[..., 1], directions[..., 0])
    elevation = np.arctan2(directions[..., 2], np.hypot(directions[..., 0], directions[..., 1]))
    column = (azimuth / (2 * np.pi) % 1.0) * columns
    row = (1.0 - np.clip(elevation / _SKY_TOP, 0.0, 1.0)) * (rows - 1)
    return column.astype(np.float32), row.astype(np.float32)
