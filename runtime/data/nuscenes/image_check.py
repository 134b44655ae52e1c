"""Reading image files in worker processes, and proving that each is a whole JPEG.

A JPEG has no checksum. One that was cut off does not decode; one with a damaged middle does, to a picture
with a grey or shifted part, and the decoder prints a warning to the process's error stream. So each worker
process has that stream caught, and a warning counts as damage. What the decoder does not notice (a few
changed bits that still are valid codes) goes through, as it does everywhere.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from runtime.data.end_with_parent import end_with_parent
from runtime.data.jpeg import decode_bgr

_caught: BinaryIO | None = None


@dataclass(frozen=True)
class ImageJob:
    """An image file to read.

    Args:
        path: of the file.
        size: (height, width) that the tables give, in pixels.
    """

    path: str
    size: tuple[int, int]


@dataclass(frozen=True)
class ImageResult:
    """The bytes of an image file, or what is wrong with it.

    Args:
        data: the file, byte for byte; empty when there is a problem.
        problem: a clause such as `is missing`.
    """

    data: bytes
    problem: str | None = None


def start_worker() -> None:
    """Prepares a worker process: catches its error stream, ends it with its parent."""
    global _caught
    end_with_parent()
    _caught = tempfile.TemporaryFile()  # noqa: SIM115
    os.dup2(_caught.fileno(), 2)


def read_images(jobs: list[ImageJob]) -> list[ImageResult]:
    """Reads and decodes the images of one sample."""
    return [_read(job) for job in jobs]


def _read(job: ImageJob) -> ImageResult:
    try:
        data = Path(job.path).read_bytes()
    except FileNotFoundError:
        return ImageResult(b"", "is missing")
    except OSError as error:
        return ImageResult(b"", f"cannot be read: {error.strerror}")
    _take_warnings()
    image = decode_bgr(data)
    warnings = _take_warnings()
    if image is None:
        return ImageResult(b"", f"is no whole JPEG ({len(data)} bytes)")
    if warnings:
        return ImageResult(b"", f"is damaged: {warnings}")
    if image.shape[:2] != job.size:
        found, wanted = _times(image.shape[:2]), _times(job.size)
        return ImageResult(b"", f"has {found} pixels (height x width), its table says {wanted}")
    return ImageResult(data)


def _take_warnings() -> str:
    """What was printed to the caught error stream since the last call."""
    if _caught is None:
        return ""
    _caught.seek(0)
    text = _caught.read().decode(errors="replace").strip()
    _caught.seek(0)
    _caught.truncate()
    return text.splitlines()[0] if text else ""


def _times(size: tuple[int, ...]) -> str:
    return f"{size[0]}x{size[1]}"
