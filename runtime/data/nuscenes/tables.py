"""Reading the nuScenes tables with the devkit: the scenes of a split, and one plain record a sample."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from runtime.errors import RunError
from runtime.geometry.camera import CAMERA_NAMES
from runtime.geometry.class_names import DETECTION_CLASSES
from runtime.geometry.frames import rigid

try:
    from nuscenes import NuScenes
    from nuscenes.eval.detection.utils import category_to_detection_name
    from nuscenes.utils.splits import create_splits_scenes
except ModuleNotFoundError as error:
    if error.name != "nuscenes":
        raise
    raise RunError(
        "packing needs `nuscenes-devkit`, which is not installed",
        hint="the devkit allows no numpy 2 and thereby no Python 3.13: pack with Python 3.11 or 3.12",
    ) from error

TABLES: Final = (
    "attribute",
    "calibrated_sensor",
    "category",
    "ego_pose",
    "instance",
    "log",
    "map",
    "sample",
    "sample_annotation",
    "sample_data",
    "scene",
    "sensor",
    "visibility",
)
_BIKE_RACK: Final = "static_object.bicycle_rack"
_UNPACK_HINT: Final = "copy or unpack the tables again"
_MINI_NAMES: Final = {"train": "mini_train", "val": "mini_val"}


def open_tables(src: str | Path, version: str) -> NuScenes:
    """The devkit's `NuScenes` of a folder.

    Raises:
        RunError: the folder, a table or a map image is missing, or a table is no JSON.
    """
    folder = Path(src) / version
    if not version or Path(version).name != version:
        raise RunError(
            f"`{version}` is not the name of a version",
            hint="it is one folder's name, such as `v1.0-trainval`",
        )
    if not folder.is_dir():
        raise RunError(
            f"no nuScenes tables of version `{version}`",
            place=str(folder),
            hint="give the folder that holds `samples`, `maps` and the version's own folder, "
            "or make such a folder with `specgen data synth --out DIR`",
        )
    missing = [name for name in TABLES if not (folder / f"{name}.json").is_file()]
    if missing:
        raise RunError(
            f"tables are missing: {', '.join(f'`{name}.json`' for name in missing)}",
            place=str(folder),
            hint=_UNPACK_HINT,
        )
    try:
        return NuScenes(version=version, dataroot=str(src), verbose=False)
    except json.JSONDecodeError as error:
        raise RunError(
            f"table `{_broken_table(folder)}` is no JSON: {error}", place=str(folder), hint=_UNPACK_HINT
        ) from error
    except (AssertionError, KeyError, IndexError, FileNotFoundError, TypeError, UnicodeDecodeError) as error:
        raise RunError(
            f"the devkit cannot load these tables: {type(error).__name__}: {error}",
            place=str(folder),
            hint=_UNPACK_HINT,
        ) from error


def scene_split(nusc: NuScenes, split: str) -> tuple[str, list[str]]:
    """The devkit's name of a split, and the names of its scenes.

    `train` and `val` of a `...mini` version are `mini_train` and `mini_val`; names of the version's own
    `splits.json` work everywhere.

    Raises:
        RunError: there is no such split for this version.
    """
    official = create_splits_scenes()
    custom = _custom_splits(nusc)
    name = split
    if nusc.version.endswith("mini") and split not in custom:
        name = _MINI_NAMES.get(split, split)
    if name in official and _fits(nusc.version, name):
        return name, official[name]
    if split in custom:
        return split, custom[split]
    known = [known for known in official if _fits(nusc.version, known)] + list(custom)
    raise RunError(
        f"version `{nusc.version}` has no split `{split}`",
        hint=f"splits here: {', '.join(dict.fromkeys(known))}",
    )


def _fits(version: str, split: str) -> bool:
    """The devkit's rule which official split goes with which version."""
    if split.startswith("mini"):
        return version.endswith("mini")
    return version.endswith("test" if split == "test" else "trainval")


def _custom_splits(nusc: NuScenes) -> dict[str, list[str]]:
    path = Path(nusc.dataroot) / nusc.version / "splits.json"
    if not path.is_file():
        return {}
    try:
        splits = json.loads(path.read_text(encoding="utf-8"))
        if not all(isinstance(names, list) for names in splits.values()):
            raise ValueError("every split must be a list of scene names")
    except (ValueError, AttributeError) as error:
        raise RunError(f"cannot be read: {error}", place=str(path)) from error
    return splits


@dataclass(frozen=True)
class SampleRef:
    """A sample to pack.

    Args:
        token: of the sample.
        scene_token: of its scene.
        scene_name: such as `scene-0061`.
        location: map name of the scene's log.
    """

    token: str
    scene_token: str
    scene_name: str
    location: str


def samples_of_split(nusc: NuScenes, scene_names: list[str]) -> list[SampleRef]:
    """Samples of these scenes in table order, each scene in the order of time; absent scenes are left out."""
    wanted = set(scene_names)
    with _whole_rows(nusc):
        return [
            SampleRef(token, scene["token"], scene["name"], nusc.get("log", scene["log_token"])["location"])
            for scene in nusc.scene
            if scene["name"] in wanted
            for token in _chain(nusc, scene["first_sample_token"])
        ]


@contextmanager
def _whole_rows(nusc: NuScenes) -> Iterator[None]:
    """RunError for a row that lacks a column, or names a row that is not there."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(
            f"the tables do not fit together: {type(error).__name__}: {error}",
            place=str(Path(nusc.dataroot) / nusc.version),
            hint=_UNPACK_HINT,
        ) from error


def _chain(nusc: NuScenes, token: str) -> Iterator[str]:
    while token:
        yield token
        token = nusc.get("sample", token)["next"]


def image_paths(nusc: NuScenes, ref: SampleRef) -> list[Path]:
    """The six image files of a sample in view order. RunError when the sample lacks a camera."""
    with _whole_rows(nusc):
        data = nusc.get("sample", ref.token)["data"]
        missing = [name for name in (*CAMERA_NAMES, "LIDAR_TOP") if name not in data]
        if missing:
            raise RunError(f"sample `{ref.token}` has no `{missing[0]}` record", place=ref.scene_name)
        root = Path(nusc.dataroot)
        return [root / nusc.get("sample_data", data[name])["filename"] for name in CAMERA_NAMES]


def sample_record(nusc: NuScenes, ref: SampleRef) -> dict[str, Any]:
    """Everything about a sample that the tables know, without its map lines.

    Annotations keep their global frame and order, so that evaluation can agree with the devkit to the last
    digit. RunError when the tables do not fit together.
    """
    with _whole_rows(nusc):
        return _sample_record(nusc, ref)


def _sample_record(nusc: NuScenes, ref: SampleRef) -> dict[str, Any]:
    sample = nusc.get("sample", ref.token)
    lidar = nusc.get("sample_data", sample["data"]["LIDAR_TOP"])
    annotations = [nusc.get("sample_annotation", token) for token in sample["anns"]]
    return {
        "token": ref.token,
        "scene_token": ref.scene_token,
        "scene_name": ref.scene_name,
        "location": ref.location,
        "timestamp": int(sample["timestamp"]),
        "prev": sample["prev"],
        "next": sample["next"],
        "ego2global": _pose(nusc.get("ego_pose", lidar["ego_pose_token"])),
        "cameras": [_camera(nusc, sample["data"][name], name) for name in CAMERA_NAMES],
        "boxes": _boxes(nusc, annotations),
        "bike_racks": _geometry([a for a in annotations if a["category_name"] == _BIKE_RACK]),
    }


def _pose(record: dict[str, Any]) -> np.ndarray:
    return rigid(record["rotation"], record["translation"])


def _camera(nusc: NuScenes, token: str, channel: str) -> dict[str, Any]:
    data = nusc.get("sample_data", token)
    sensor = nusc.get("calibrated_sensor", data["calibrated_sensor_token"])
    return {
        "channel": channel,
        "timestamp": int(data["timestamp"]),
        "width": int(data["width"]),
        "height": int(data["height"]),
        "intrinsic": np.array(sensor["camera_intrinsic"], dtype=np.float64),
        "cam2ego": _pose(sensor),
        "ego2global": _pose(nusc.get("ego_pose", data["ego_pose_token"])),
    }


def _geometry(annotations: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "translation": np.array([a["translation"] for a in annotations], dtype=np.float64).reshape(-1, 3),
        "size": np.array([a["size"] for a in annotations], dtype=np.float64).reshape(-1, 3),
        "rotation": np.array([a["rotation"] for a in annotations], dtype=np.float64).reshape(-1, 4),
    }


def _boxes(nusc: NuScenes, annotations: list[dict[str, Any]]) -> dict[str, Any]:
    """Annotations of the ten detection classes, unfiltered, in table order."""
    named = [(a, category_to_detection_name(a["category_name"])) for a in annotations]
    kept = [(a, name) for a, name in named if name is not None]
    for annotation, _ in kept:
        if len(annotation["attribute_tokens"]) > 1:
            raise RunError(
                f"annotation `{annotation['token']}` has {len(annotation['attribute_tokens'])} attributes, "
                "the detection task allows one"
            )
    velocity = [nusc.box_velocity(a["token"])[:2] for a, _ in kept]
    return _geometry([a for a, _ in kept]) | {
        "velocity": np.array(velocity, dtype=np.float64).reshape(-1, 2),
        "label": np.array([DETECTION_CLASSES.index(name) for _, name in kept], dtype=np.int64),
        "num_lidar_pts": np.array([a["num_lidar_pts"] for a, _ in kept], dtype=np.int64),
        "num_radar_pts": np.array([a["num_radar_pts"] for a, _ in kept], dtype=np.int64),
        "attribute": [
            nusc.get("attribute", a["attribute_tokens"][0])["name"] if a["attribute_tokens"] else ""
            for a, _ in kept
        ],
        "instance": [a["instance_token"] for a, _ in kept],
    }


def _broken_table(folder: Path) -> str:
    for name in TABLES:
        try:
            json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        except ValueError:
            return f"{name}.json"
    return "?"
