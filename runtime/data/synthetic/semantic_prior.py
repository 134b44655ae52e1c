"""The semantic prior of a location: a PNG of ten pixels a metre, white where a car may drive or people walk.

A map of kilometres is hundreds of megabytes of pixels; they are drawn and compressed in strips.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.data.synthetic.layout import Layout, polygons_of

PIXELS_PER_METRE: Final = 10
_STRIP_ROWS: Final = 512
_SHIFT: Final = 4


def write_semantic_prior(path: Path, layouts: list[Layout], canvas_edge: tuple[float, float]) -> None:
    """Write the 8-bit grey PNG of a map of (width, height) metres; north is up, the origin at bottom left.

    Raises:
        OSError: the file cannot be written.
    """
    width, height = (round(edge * PIXELS_PER_METRE) for edge in canvas_edge)
    packer = zlib.compressobj(level=1)
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        # Bit depth 8, grey, deflate, adaptive filters, not interlaced (PNG specification, section 11.2.1).
        file.write(_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)))
        for strip in _strips(layouts, width, height):
            # Every row begins with its filter: 0, none.
            rows = np.pad(strip, ((0, 0), (1, 0)))
            packed = packer.compress(rows.tobytes())
            if packed:
                file.write(_chunk(b"IDAT", packed))
        file.write(_chunk(b"IDAT", packer.flush()))
        file.write(_chunk(b"IEND", b""))


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def _strips(layouts: list[Layout], width: int, height: int) -> Iterator[NDArray[np.uint8]]:
    for top in range(0, height, _STRIP_ROWS):
        rows = min(_STRIP_ROWS, height - top)
        strip = np.zeros((rows, width), dtype=np.uint8)
        y1 = (height - top) / PIXELS_PER_METRE
        y0 = y1 - rows / PIXELS_PER_METRE
        for layout in layouts:
            if layout.tile[1] > y1 or layout.tile[3] < y0:
                continue
            for geometry in (layout.drivable, *layout.walkways):
                for polygon in polygons_of(geometry):
                    rings = [
                        _pixels(np.asarray(ring.coords), y1)
                        for ring in (polygon.exterior, *polygon.interiors)
                    ]
                    cv2.fillPoly(strip, rings, (255,), cv2.LINE_8, _SHIFT)
        yield strip


def _pixels(xy: NDArray[np.float64], top: float) -> NDArray[np.int32]:
    pixels = np.stack([xy[:, 0], top - xy[:, 1]], axis=-1) * PIXELS_PER_METRE - 0.5
    return np.round(pixels * 2**_SHIFT).astype(np.int32)
