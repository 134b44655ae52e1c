"""`calibration.json`: what must be known of six cameras to use their images, in the terms of nuScenes.

    {
      "format": 1,
      "image_size": {"width": 1600, "height": 900},
      "cameras": {
        "CAM_FRONT": {
          "camera_intrinsic": [[fx, 0, cx], [0, fy, cy], [0, 0, 1]],
          "translation": [x, y, z],
          "rotation": [w, x, y, z]
        },
        ... all six
      },
      "sample": "name of the moment",
      "ego_to_global": {"translation": [x, y, z], "rotation": [w, x, y, z]}
    }

The last two may be left out. A camera's pose maps its frame (x right, y down, z forward) into the ego frame
of the sample (x forward, y left, z up), in metres. What the car moves until a camera's shutter is part of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.atomic_file import write_bytes
from runtime.deployment.infer.strict_json import JsonValue, read_json
from runtime.geometry.camera import CAMERA_NAMES, intrinsic_4x4
from runtime.geometry.frames import inverse, quaternion_from_matrix, rigid

CALIBRATION_FILE = "calibration.json"
FORMAT = 1
_LARGEST_SIDE = 2**14
_NORM_TOLERANCE = 1e-3
_FARTHEST_CAMERA = 100.0

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """What the file says.

    Args:
        size: (height, width) of the images as stored, in pixels.
        intrinsics: (3, 3) of each camera by channel, pixels.
        cam2ego: (4, 4) of each camera by channel.
        sample: name of the moment, None when it has none.
        ego2global: (4, 4), None when it is not known.
    """

    size: tuple[int, int]
    intrinsics: Mapping[str, Array]
    cam2ego: Mapping[str, Array]
    sample: str | None = None
    ego2global: Array | None = None

    @property
    def ego2img(self) -> Array:
        """(6, 4, 4) for the images as stored."""
        return np.stack(
            [intrinsic_4x4(self.intrinsics[name]) @ inverse(self.cam2ego[name]) for name in CAMERA_NAMES]
        )


def read_calibration(path: Path) -> Calibration:
    """Read and check a calibration file.

    Raises:
        RunError: the file is missing or wrong; the message names the key.
    """
    top = read_json(path).members(("format", "image_size", "cameras"), ("sample", "ego_to_global"))
    top["format"].whole(FORMAT, FORMAT)
    sides = top["image_size"].members(("width", "height"))
    height, width = (sides[side].whole(1, _LARGEST_SIDE) for side in ("height", "width"))
    cameras = top["cameras"].members(CAMERA_NAMES)
    parts = {
        name: camera.members(("camera_intrinsic", "translation", "rotation"))
        for name, camera in cameras.items()
    }
    return Calibration(
        size=(height, width),
        intrinsics={name: _intrinsic(part["camera_intrinsic"]) for name, part in parts.items()},
        cam2ego={name: _camera_pose(part) for name, part in parts.items()},
        sample=top["sample"].text() if "sample" in top else None,
        ego2global=_pose(top["ego_to_global"].members(("translation", "rotation")))
        if "ego_to_global" in top
        else None,
    )


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write a calibration file; numbers keep all their digits.

    Raises:
        RunError: the file cannot be written.
    """
    height, width = calibration.size
    cameras = [
        f"    {json.dumps(name)}: {{\n"
        f'      "camera_intrinsic": {json.dumps(calibration.intrinsics[name].tolist())},\n'
        f"{_pose_text(calibration.cam2ego[name], indent=6)}\n"
        "    }"
        for name in CAMERA_NAMES
    ]
    parts = [
        f'  "format": {FORMAT}',
        f'  "image_size": {{"width": {width}, "height": {height}}}',
        '  "cameras": {\n' + ",\n".join(cameras) + "\n  }",
    ]
    if calibration.sample is not None:
        parts.append(f'  "sample": {json.dumps(calibration.sample)}')
    if calibration.ego2global is not None:
        parts.append(f'  "ego_to_global": {{\n{_pose_text(calibration.ego2global, indent=4)}\n  }}')
    write_bytes(path, ("{\n" + ",\n".join(parts) + "\n}\n").encode())


def _intrinsic(given: JsonValue) -> Array:
    matrix = given.numbers(3, 3, meaning="[[fx, 0, cx], [0, fy, cy], [0, 0, 1]]")
    if matrix[2].tolist() != [0, 0, 1] or matrix[1, 0] != 0:
        raise given.wrong(f"is {matrix.tolist()}, expected [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]")
    if min(matrix[0, 0], matrix[1, 1]) <= 0:
        raise given.wrong(
            f"has the focal lengths {matrix[0, 0]:g} and {matrix[1, 1]:g}, expected more than 0"
        )
    return matrix


def _camera_pose(parts: Mapping[str, JsonValue]) -> Array:
    pose = _pose(parts)
    distance = float(np.linalg.norm(pose[:3, 3]))
    if distance > _FARTHEST_CAMERA:
        raise parts["translation"].wrong(
            f"puts the camera {distance:g} m from the car",
            hint="it is the camera's place on the car, in metres",
        )
    return pose


def _pose(parts: Mapping[str, JsonValue]) -> Array:
    translation = parts["translation"].numbers(3, meaning="x, y, z in metres")
    rotation = parts["rotation"].numbers(4, meaning="a quaternion w, x, y, z")
    norm = float(np.linalg.norm(rotation))
    if abs(norm - 1) > _NORM_TOLERANCE:
        raise parts["rotation"].wrong(f"has the norm {norm:g}, a quaternion w, x, y, z of a rotation has 1")
    return rigid(rotation, translation)


def _pose_text(pose: Array, *, indent: int) -> str:
    values: dict[str, Any] = {
        "translation": pose[:3, 3].tolist(),
        "rotation": quaternion_from_matrix(pose[:3, :3]).tolist(),
    }
    return ",\n".join(f'{" " * indent}"{key}": {json.dumps(value)}' for key, value in values.items())
