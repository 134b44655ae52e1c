"""Made-up samples as a packed dataset gives them, with every case that the official evaluation knows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from runtime.evaluation.box_table import GlobalDetections, SampleTruth
from runtime.evaluation.global_boxes import attributes_of
from runtime.geometry.class_names import DETECTION_CLASSES
from runtime.geometry.frames import rigid

ATTRIBUTES = ["", "vehicle.moving", "vehicle.parked", "cycle.with_rider", "pedestrian.moving"]
World = tuple[list[SampleTruth], dict[str, GlobalDetections]]


def random_quaternions(rng: np.random.Generator, count: int) -> np.ndarray:
    """Nearly flat headings, some of them not of unit length in the last digits, as in the tables."""
    yaw = rng.uniform(-np.pi, np.pi, count)
    tilt = rng.normal(0, 0.01, (count, 2))
    q = np.stack([np.cos(yaw / 2), tilt[:, 0], tilt[:, 1], np.sin(yaw / 2)], axis=1)
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    return np.where(rng.random((count, 1)) < 0.5, q, np.round(q, 12))


def make_sample(rng: np.random.Generator, token: str, count: int) -> SampleTruth:
    """Boxes within 60 m of the car, some too far, some without points, some two-wheelers in bicycle racks."""
    ego = rigid(random_quaternions(rng, 1)[0], [*rng.uniform(300, 1500, 2), 0.0])
    label = rng.integers(0, len(DETECTION_CLASSES), count)
    translation = ego[:3, 3] + np.stack([*rng.uniform(-42, 42, (2, count)), rng.uniform(0, 2, count)], axis=1)
    velocity = rng.normal(0, 2, (count, 2))
    velocity[rng.random(count) < 0.15] = np.nan
    racks = min(count, 3)
    return {
        "token": token,
        "ego2global": ego,
        "translation": translation,
        "size": rng.uniform(0.4, 6, (count, 3)),
        "rotation": random_quaternions(rng, count),
        "velocity": velocity,
        "label": label,
        "num_lidar_pts": rng.integers(0, 3, count),
        "num_radar_pts": rng.integers(0, 2, count),
        "attribute": [ATTRIBUTES[i] for i in rng.integers(0, len(ATTRIBUTES), count)],
        "bike_racks": {
            "translation": translation[:racks] + rng.normal(0, 1, (racks, 3)),
            "size": rng.uniform(3, 12, (racks, 3)),
            "rotation": random_quaternions(rng, racks),
        },
    }


def make_detections(rng: np.random.Generator, sample: SampleTruth, noise: float) -> GlobalDetections:
    """Annotated boxes moved a little, some missing, some of another class, and others from nowhere.

    Scores are coarse, so that many are equal.
    """
    found = np.flatnonzero(rng.random(len(sample["label"])) < 0.8)
    false = len(found) // 2
    count = len(found) + false
    ghosts = sample["ego2global"][:3, 3] + rng.uniform(-45, 45, (false, 3)) * [1, 1, 0.02]
    label = np.concatenate([sample["label"][found], rng.integers(0, 10, false)])
    swapped = rng.random(count) < 0.05
    label[swapped] = rng.integers(0, 10, swapped.sum())
    velocity = np.concatenate([sample["velocity"][found], rng.normal(0, 2, (false, 2))]) + rng.normal(0, 0.3)
    rotation = random_quaternions(rng, count)
    near = rng.random(len(found)) < 0.8
    rotation[: len(found)][near] = sample["rotation"][found][near]
    order = rng.permutation(count)
    return GlobalDetections(
        translation=np.concatenate(
            [sample["translation"][found] + rng.normal(0, noise, (len(found), 3)), ghosts]
        )[order],
        size=np.concatenate(
            [sample["size"][found] * rng.uniform(0.7, 1.4, (len(found), 3)), rng.uniform(0.5, 5, (false, 3))]
        )[order],
        rotation=rotation[order],
        velocity=velocity[order],
        label=label[order].astype(np.int64),
        score=np.round(rng.random(count), 1),
        attribute=attributes_of(label[order], np.linalg.norm(velocity[order], axis=1)),
    )


@pytest.fixture
def make_world() -> Callable[..., World]:
    """A function that makes samples and predictions from a seed."""

    def make(seed: int, *, samples: int = 12, boxes: int = 60, noise: float = 0.7) -> World:
        rng = np.random.default_rng(seed)
        truth = [make_sample(rng, f"sample-{index}", boxes) for index in range(samples)]
        return truth, {sample["token"]: make_detections(rng, sample, noise) for sample in truth}

    return make
