"""Writes one scene: its images and sweeps to disk, its rows to the caller."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.data.synthetic.categories import visibility_token
from runtime.data.synthetic.layout import Kind, Layout
from runtime.data.synthetic.lidar import Sweep, cast
from runtime.data.synthetic.tables import Row, SceneRows, link, token
from runtime.data.synthetic.world import Studio, World, build_world
from runtime.geometry.camera import CAMERA_NAMES
from runtime.geometry.frames import quaternion_from_matrix, quaternion_from_yaw

Array = NDArray[np.float64]

KEY_FRAME_PERIOD: Final = 0.5
ANNOTATION_RANGE: Final = 50.0
"""Metres from the lidar up to which objects are annotated: the farthest that the detection metric looks."""

_JPEG_QUALITY: Final = 90
_FIRST_TIMESTAMP: Final = 1_600_000_000_000_000
_SCENE_GAP: Final = 600_000_000  # microseconds between the starts of two scenes


@dataclass(frozen=True)
class SceneJob:
    """What a worker needs to make one scene.

    Args:
        root: folder of the dataset.
        name: official scene name.
        number: position among all scenes; with `seed` it decides everything.
        seed: of the dataset.
        kind: of road layout.
        location: map name.
        centre: middle of the scene's tile on that map, metres.
        tile_size: metres.
        samples: key frames.
        image_size: (width, height), pixels.
    """

    root: Path
    name: str
    number: int
    seed: int
    kind: Kind
    location: str
    centre: tuple[float, float]
    tile_size: float
    samples: int
    image_size: tuple[int, int]


@dataclass(frozen=True)
class SceneResult:
    """What comes back: table rows and the layout for the map of the location."""

    location: str
    rows: SceneRows
    layout: Layout


def write_scene(job: SceneJob) -> SceneResult:
    """Make a scene and write its files below `job.root`.

    Raises:
        OSError: a file cannot be written.
    """
    cv2.setNumThreads(1)
    duration = (job.samples - 1) * KEY_FRAME_PERIOD
    seeds = np.random.SeedSequence([job.seed, job.number]).spawn(3)
    world_rng, ground_rng, frame_rng = (np.random.default_rng(s) for s in seeds)
    world = build_world(job.kind, job.centre, job.tile_size, duration, job.image_size, world_rng)
    studio = Studio(world, duration, ground_rng)
    return _SceneWriter(job, world, studio, frame_rng).write()


class _SceneWriter:
    """Collects the rows of one scene while its frames are written."""

    def __init__(self, job: SceneJob, world: World, studio: Studio, rng: np.random.Generator) -> None:
        self._job = job
        self._world = world
        self._studio = studio
        self._rng = rng
        self._start = _FIRST_TIMESTAMP + job.number * _SCENE_GAP
        self._rows = SceneRows()
        self._scene_token = self._token("scene")
        self._annotations: dict[int, list[Row]] = {}
        self._frames: dict[str, list[Row]] = {}
        self._boxes_of_props = np.array(
            [[p.x, p.y, p.size[2] / 2, *p.size, p.yaw] for p in world.props], dtype=np.float64
        ).reshape(-1, 7)

    def _token(self, *parts: object) -> str:
        return token(self._job.seed, self._job.name, *parts)

    def write(self) -> SceneResult:
        """All frames, then the rows that need to know all frames."""
        job, rows = self._job, self._rows
        self._calibration()
        for index in range(job.samples):
            self._sample(index)
        link(rows.sample)
        for frames in self._frames.values():
            link(frames)
        for actor, rows_of_actor in self._annotations.items():
            self._instance(actor, rows_of_actor)
        log_token = self._token("log")
        day = f"{2020 + job.number // 365}-{1 + job.number // 28 % 12:02d}-{1 + job.number % 28:02d}"
        rows.log.append(
            {
                "token": log_token,
                "logfile": f"synthetic-{job.number:04d}",
                "vehicle": "synthetic",
                "date_captured": day,
                "location": job.location,
            }
        )
        rows.scene.append(
            {
                "token": self._scene_token,
                "log_token": log_token,
                "nbr_samples": job.samples,
                "first_sample_token": rows.sample[0]["token"],
                "last_sample_token": rows.sample[-1]["token"],
                "name": job.name,
                "description": f"Synthetic world, {job.kind}",
            }
        )
        return SceneResult(job.location, rows, self._world.layout)

    def _calibration(self) -> None:
        rig = self._world.rig
        mounts = [(c.name, c.cam2ego, c.intrinsic.tolist()) for c in rig.cameras]
        for channel, sensor2ego, intrinsic in [*mounts, ("LIDAR_TOP", rig.lidar2ego, [])]:
            self._rows.calibrated_sensor.append(
                {
                    "token": self._token("calibration", channel),
                    "sensor_token": token("sensor", channel),
                    "translation": sensor2ego[:3, 3].tolist(),
                    "rotation": quaternion_from_matrix(sensor2ego[:3, :3]).tolist(),
                    "camera_intrinsic": intrinsic,
                }
            )

    def _sample(self, index: int) -> None:
        """One key frame: a sweep, six images, the annotations."""
        world = self._world
        # Key frames are close to 2 Hz, not exactly: the lidar turns freely.
        jitter = float(self._rng.uniform(-0.004, 0.004))
        stamp = self._start + round((index * KEY_FRAME_PERIOD + jitter) * 1e6)
        t = (stamp - self._start) / 1e6
        sample_token = self._token("sample", index)
        self._rows.sample.append(
            {"token": sample_token, "timestamp": stamp, "scene_token": self._scene_token}
        )
        ego2global = world.trip.pose(t)
        self._annotate(sample_token, index, t, ego2global, stamp)
        for number, camera in enumerate(world.rig.cameras):
            shutter = camera.shutter + float(self._rng.uniform(-0.001, 0.001))
            camera_stamp = stamp + round(shutter * 1e6)
            image, pose = self._studio.take(number, (camera_stamp - self._start) / 1e6, self._rng)
            encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
            self._frame(sample_token, index, CAMERA_NAMES[number], camera_stamp, pose, encoded.tobytes())

    def _annotate(self, sample_token: str, index: int, t: float, ego2global: Array, stamp: int) -> None:
        """Cast the lidar and annotate what is near; the counts are the returns of this very sweep."""
        world = self._world
        poses = [actor.pose(t) for actor in world.actors]
        boxes = np.array(
            [
                [*position, actor.size[2] / 2, *actor.size, float(yaw)]
                for actor, (position, yaw) in zip(world.actors, poses, strict=True)
            ],
            dtype=np.float64,
        ).reshape(-1, 7)
        lidar2global = ego2global @ world.rig.lidar2ego
        sweep: Sweep = cast(
            lidar2global, np.concatenate([boxes, self._boxes_of_props]), len(boxes), self._rng
        )
        self._frame(sample_token, index, "LIDAR_TOP", stamp, ego2global, sweep.points.tobytes())
        distance = np.linalg.norm(boxes[:, :2] - lidar2global[:2, 3], axis=1)
        for i in np.flatnonzero(distance <= ANNOTATION_RANGE):
            actor = world.actors[i]
            attribute = actor.attribute(t)
            row = {
                "token": self._token("annotation", index, i),
                "sample_token": sample_token,
                "instance_token": self._token("instance", i),
                "visibility_token": visibility_token(float(sweep.share[i])),
                "attribute_tokens": [token("attribute", attribute)] if attribute else [],
                "translation": boxes[i, :3].round(4).tolist(),
                "size": list(actor.size),
                "rotation": quaternion_from_yaw(float(boxes[i, 6])).tolist(),
                "num_lidar_pts": int(sweep.hits[i]),
                "num_radar_pts": 0,
            }
            self._annotations.setdefault(int(i), []).append(row)
            self._rows.sample_annotation.append(row)

    def _frame(
        self, sample_token: str, index: int, channel: str, stamp: int, ego2global: Array, content: bytes
    ) -> None:
        """Write a file of a sensor and its `sample_data` and `ego_pose` rows."""
        job = self._job
        camera = channel != "LIDAR_TOP"
        suffix, width, height = ("jpg", *job.image_size) if camera else ("pcd.bin", 0, 0)
        filename = f"samples/{channel}/{job.name}__{channel}__{stamp}.{suffix}"
        (job.root / filename).write_bytes(content)
        key = self._token("data", index, channel)
        row = {
            "token": key,
            "sample_token": sample_token,
            "ego_pose_token": key,
            "calibrated_sensor_token": self._token("calibration", channel),
            "timestamp": stamp,
            "fileformat": "jpg" if camera else "pcd",
            "is_key_frame": True,
            "height": height,
            "width": width,
            "filename": filename,
        }
        self._frames.setdefault(channel, []).append(row)
        self._rows.sample_data.append(row)
        self._rows.ego_pose.append(
            {
                "token": key,
                "timestamp": stamp,
                "rotation": quaternion_from_matrix(ego2global[:3, :3]).tolist(),
                "translation": ego2global[:3, 3].tolist(),
            }
        )

    def _instance(self, number: int, annotations: list[Row]) -> None:
        link(annotations)
        actor = self._world.actors[number]
        self._rows.instance.append(
            {
                "token": annotations[0]["instance_token"],
                "category_token": token("category", actor.category),
                "nbr_annotations": len(annotations),
                "first_annotation_token": annotations[0]["token"],
                "last_annotation_token": annotations[-1]["token"],
            }
        )
