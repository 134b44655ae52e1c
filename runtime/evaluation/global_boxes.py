"""Detections of the ego frame brought into the global frame, with the attribute that nuScenes asks for."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from runtime.evaluation.box_table import GlobalDetections
from runtime.geometry.class_names import DETECTION_CLASSES
from runtime.geometry.frames import quaternion_from_matrix, transform_points

Array = NDArray[np.float64]

MOVING_SPEED: Final = 0.2
"""Metres per second above which a box is said to move."""

_ATTRIBUTES: Final[dict[str, tuple[str, str]]] = {
    "car": ("vehicle.moving", "vehicle.parked"),
    "truck": ("vehicle.moving", "vehicle.parked"),
    "construction_vehicle": ("vehicle.moving", "vehicle.parked"),
    "bus": ("vehicle.moving", "vehicle.stopped"),
    "trailer": ("vehicle.moving", "vehicle.parked"),
    "barrier": ("", ""),
    "motorcycle": ("cycle.with_rider", "cycle.without_rider"),
    "bicycle": ("cycle.with_rider", "cycle.without_rider"),
    "pedestrian": ("pedestrian.moving", "pedestrian.standing"),
    "traffic_cone": ("", ""),
}
"""For each class its most common attribute in motion and at rest. The model predicts none itself."""


def detections_to_global(
    boxes: ArrayLike, scores: ArrayLike, labels: ArrayLike, ego2global: ArrayLike
) -> GlobalDetections:
    """Detections of one sample in the global frame.

    Args:
        boxes: (N, 9) x, y, z, w, l, h, yaw, vx, vy in the ego frame.
        scores: (N,).
        labels: (N,) indices into `DETECTION_CLASSES`.
        ego2global: (4, 4) rigid transform.

    Raises:
        ValueError: a centre, size, yaw or score is not finite, a size is not positive, or a label is unknown.
    """
    box = np.asarray(boxes, dtype=np.float64).reshape(-1, 9)
    score = np.asarray(scores, dtype=np.float64).reshape(-1)
    label = np.asarray(labels, dtype=np.int64).reshape(-1)
    pose = np.asarray(ego2global, dtype=np.float64)
    if not len(box) == len(score) == len(label):
        raise ValueError(f"{len(box)} boxes, {len(score)} scores and {len(label)} labels")
    if not (np.isfinite(box[:, :7]).all() and np.isfinite(score).all()):
        raise ValueError("a detected box or its score is not a finite number")
    if (box[:, 3:6] <= 0).any():
        raise ValueError(f"a detected box has the size {box[:, 3:6].min()}, expected positive metres")
    if ((label < 0) | (label >= len(DETECTION_CLASSES))).any():
        raise ValueError(f"a detection has a label outside [0, {len(DETECTION_CLASSES)})")
    rotation = pose[:3, :3]
    flat = np.concatenate([box[:, 7:9], np.zeros((len(box), 1))], axis=1)
    return GlobalDetections(
        translation=transform_points(pose, box[:, :3]),
        size=box[:, 3:6].copy(),
        rotation=_turned(quaternion_from_matrix(rotation), box[:, 6]),
        velocity=(flat @ rotation.T)[:, :2],
        label=label,
        score=score,
        attribute=attributes_of(label, np.hypot(box[:, 7], box[:, 8])),
    )


def attributes_of(label: NDArray[np.int64], speed: Array) -> NDArray[np.object_]:
    """Attribute names (N,) by class and speed in metres per second; an unknown (NaN) speed counts as rest."""
    result = np.empty(len(label), dtype=object)
    for row, (index, value) in enumerate(zip(label.tolist(), speed.tolist(), strict=True)):
        moving, resting = _ATTRIBUTES[DETECTION_CLASSES[index]]
        result[row] = moving if value > MOVING_SPEED else resting
    return result


def _turned(quaternion: Array, yaw: Array) -> Array:
    """Quaternions wxyz (N, 4) of turning by `yaw` (N,) about z first and by `quaternion` (4,) then."""
    w, x, y, z = quaternion
    cos, sin = np.cos(yaw / 2), np.sin(yaw / 2)
    return np.stack([w * cos - z * sin, x * cos + y * sin, y * cos - x * sin, w * sin + z * cos], axis=1)
