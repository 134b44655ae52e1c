"""A folder of six JPEGs and `calibration.json` as a frame."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from PIL import ExifTags
from PIL import Image as PilImage

from runtime.data.nuscenes.image_check import ImageJob, read_images, start_worker
from runtime.deployment.infer.calibration_file import CALIBRATION_FILE, read_calibration
from runtime.deployment.infer.frame import Frame
from runtime.errors import RunError
from runtime.geometry.camera import CAMERA_NAMES

_SUFFIXES = (".jpg", ".jpeg")
_LONGEST_FIRST = "|".join(sorted(CAMERA_NAMES, key=len, reverse=True))
# Not followed by another word: `CAM_FRONT_WIDE` is none of our cameras, `CAM_FRONT__1532402927612460` is.
_CHANNEL = re.compile(rf"(?<![A-Za-z])(?:{_LONGEST_FIRST})(?!_?[A-Za-z])")
_UPRIGHT = 1
_HINT = "`specgen data export-sample --sample 0 --out DIR` writes one from a packed sample"


def read_folder(folder: Path) -> Frame:
    """The frame of a folder.

    Raises:
        RunError: a camera is missing or there twice, an image is damaged, or of another size than the
            calibration says, or the calibration is wrong.
    """
    if not folder.is_dir():
        raise RunError(
            "no such folder",
            place=str(folder),
            hint=_HINT,
        )
    if CALIBRATION_FILE not in {path.name for path in visible_files(folder)}:
        raise RunError(f"the folder has no `{CALIBRATION_FILE}`", place=str(folder), hint=_HINT)
    calibration = read_calibration(folder / CALIBRATION_FILE)
    files = camera_files(folder)
    for path in files.values():
        _check_header(path, calibration.size)
    images = _whole_images(files, calibration.size)
    return Frame(
        name=calibration.sample or folder.resolve().name,
        images=tuple(images),
        size=calibration.size,
        ego2img=calibration.ego2img,
        ego2global=calibration.ego2global,
        source={
            "kind": "folder",
            "images": {
                channel: {"file": path.name, "sha256": hashlib.sha256(data).hexdigest()}
                for (channel, path), data in zip(files.items(), images, strict=True)
            },
            "calibration": hashlib.sha256((folder / CALIBRATION_FILE).read_bytes()).hexdigest(),
        },
        place=str(folder),
    )


def camera_files(folder: Path) -> dict[str, Path]:
    """The JPEG of each camera, in view order.

    Raises:
        RunError: a camera has none or several.
    """
    found: dict[str, list[Path]] = {channel: [] for channel in CAMERA_NAMES}
    others = []
    for path in visible_files(folder):
        channel = channel_of(path)
        if channel is None:
            others.append(path.name)
        else:
            found[channel].append(path)
    for channel, paths in found.items():
        if len(paths) > 1:
            names = ", ".join(f"`{path.name}`" for path in paths)
            raise RunError(f"camera `{channel}` has {len(paths)} images: {names}", place=str(folder))
    missing = [f"`{channel}`" for channel, paths in found.items() if not paths]
    if missing:
        unused = [name for name in others if name != CALIBRATION_FILE]
        more = f"; no camera's JPEG: {', '.join(f'`{name}`' for name in unused[:6])}" if unused else ""
        raise RunError(
            f"no JPEG of the camera {', '.join(missing)}{more}",
            place=str(folder),
            hint="name the files for their cameras, such as `CAM_FRONT.jpg`, or as nuScenes does",
        )
    return {channel: paths[0] for channel, paths in found.items()}


def channel_of(path: Path) -> str | None:
    """The camera that a JPEG's name contains; None for other files, and for names that contain several."""
    channels = set(_CHANNEL.findall(path.stem)) if path.suffix.lower() in _SUFFIXES else set()
    return channels.pop() if len(channels) == 1 else None


def visible_files(folder: Path) -> list[Path]:
    """The files of a folder by name, without hidden ones.

    Raises:
        RunError: the folder cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if path.is_file() and path.name[0] != ".")
    except OSError as error:
        raise RunError(f"cannot be read: {error.strerror}", place=str(folder)) from error


def _check_header(path: Path, size: tuple[int, int]) -> None:
    """What a decoder would silently put up with: another size, grey pictures, pictures stored turned."""
    try:
        with PilImage.open(path) as image:
            found, kind, mode = (image.height, image.width), image.format, image.mode
            orientation = image.getexif().get(ExifTags.Base.Orientation, _UPRIGHT)
    except Exception as error:  # Pillow raises many types for damaged files
        reason = error.strerror if isinstance(error, OSError) else None
        raise RunError(
            f"cannot be read: {reason}" if reason else f"is no whole JPEG ({path.stat().st_size} bytes)",
            place=str(path),
        ) from error
    if kind not in ("JPEG", "MPO"):
        raise RunError(f"is a {kind} file, expected a JPEG", place=str(path))
    if mode != "RGB":
        raise RunError(f"has pixels of the kind {mode}, expected a colour JPEG", place=str(path))
    if orientation != _UPRIGHT:
        raise RunError(
            f"its EXIF orientation is {orientation}: the pixels are stored turned or mirrored",
            place=str(path),
            hint="store it upright, and calibrate for the pixels as stored",
        )
    if found != size:
        raise RunError(
            f"has {found[1]} x {found[0]} pixels (width x height), "
            f"`{CALIBRATION_FILE}` says {size[1]} x {size[0]}",
            place=str(path),
        )


def _whole_images(files: dict[str, Path], size: tuple[int, int]) -> list[bytes]:
    """The bytes of the images, each decoded once by a process that sees the decoder's warnings."""
    jobs = [ImageJob(str(path), size) for path in files.values()]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=start_worker) as pool:
        results = pool.submit(read_images, jobs).result()
    for path, result in zip(files.values(), results, strict=True):
        if result.problem is not None:
            raise RunError(result.problem, place=str(path), hint="copy the file again")
    return [result.data for result in results]
