"""A sample of a pack as a frame, and as a folder that `img:DIR` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.atomic_file import write_bytes
from runtime.data.pack_reader import PackReader
from runtime.data.sample_labels import ego2img_of
from runtime.deployment.infer.calibration_file import CALIBRATION_FILE, Calibration, write_calibration
from runtime.deployment.infer.frame import Frame
from runtime.deployment.infer.image_folder import channel_of, visible_files
from runtime.errors import RunError
from runtime.geometry.camera import CAMERA_NAMES
from runtime.geometry.frames import inverse

_LONGEST_INDEX = 9
"""Digits; a sample token has 32."""


def find_sample(reader: PackReader, wanted: str) -> int:
    """The index of the sample that `wanted`, an index from 0 or a token, names.

    Raises:
        RunError: the pack has no such sample.
    """
    place = str(reader.place.lmdb)
    if wanted.isascii() and wanted.isdigit() and len(wanted) <= _LONGEST_INDEX:
        if int(wanted) < len(reader):
            return int(wanted)
        raise RunError(
            f"no sample {wanted}, the pack has {len(reader)}",
            place=place,
            hint=f"they are counted from 0 to {len(reader) - 1}",
        )
    for index, entry in enumerate(reader.manifest.samples):
        if entry.token == wanted:
            return index
    raise RunError(
        f"no sample has the token `{wanted}`",
        place=place,
        hint=f"give a token of its manifest, `{reader.place.manifest}`, or an index from 0",
    )


def packed_frame(reader: PackReader, index: int) -> Frame:
    """The frame of a packed sample.

    Raises:
        RunError: the pack is damaged.
    """
    record = reader.record(index)
    first = record["cameras"][0]
    return Frame(
        name=record["token"],
        images=tuple(reader.images(index)),
        size=(first["height"], first["width"]),
        ego2img=ego2img_of(record),
        ego2global=record["ego2global"],
        source={
            "kind": "packed sample",
            "version": reader.manifest.version,
            "split": reader.manifest.split,
            "data_digest": reader.manifest.digest,
            "index": index,
            "token": record["token"],
        },
        place=f"{reader.place.lmdb}, sample {record['token']}",
    )


def export_sample(reader: PackReader, index: int, folder: Path) -> list[Path]:
    """Write a packed sample as a folder: its JPEGs byte for byte, and `calibration.json`.

    Args:
        reader: of the pack.
        index: of the sample.
        folder: made when it is missing.

    Returns:
        the files.

    Raises:
        RunError: the pack is damaged, the folder holds other images of cameras, or cannot be written.
    """
    record, images = reader.record(index), reader.images(index)
    files = {channel: folder / f"{channel}.jpg" for channel in CAMERA_NAMES}
    for path in visible_files(folder) if folder.is_dir() else ():
        if channel_of(path) is not None and path not in files.values():
            raise RunError(
                f"the folder holds `{path.name}`: camera `{channel_of(path)}` would have two images",
                place=str(folder),
                hint="choose another folder",
            )
    for path, data in zip(files.values(), images, strict=True):
        write_bytes(path, data)
    write_calibration(folder / CALIBRATION_FILE, calibration_of(record))
    return [*files.values(), folder / CALIBRATION_FILE]


def calibration_of(record: dict[str, Any]) -> Calibration:
    """The calibration of a packed record."""
    cameras = dict(zip(CAMERA_NAMES, record["cameras"], strict=True))
    first = record["cameras"][0]
    return Calibration(
        size=(first["height"], first["width"]),
        intrinsics={channel: camera["intrinsic"] for channel, camera in cameras.items()},
        cam2ego={channel: _camera_in_sample(camera, record) for channel, camera in cameras.items()},
        sample=record["token"],
        ego2global=record["ego2global"],
    )


def _camera_in_sample(camera: dict[str, Any], record: dict[str, Any]) -> NDArray[np.float64]:
    """Where a camera was at its shutter, (4, 4) in the ego frame of the sample."""
    # As in `ego2img_matrix`, the two large poses meet each other first.
    moved = inverse(camera["ego2global"]) @ record["ego2global"]
    return np.asarray(inverse(moved) @ camera["cam2ego"])
