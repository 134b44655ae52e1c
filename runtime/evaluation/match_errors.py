"""How far matched predictions are off: the true positive errors of the nuScenes detection task."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runtime.evaluation.box_table import BoxTable
from runtime.evaluation.matching import planar_norm
from runtime.evaluation.quaternion_matrix import yaw

Array = NDArray[np.float64]


def match_errors(truth: BoxTable, predicted: BoxTable, *, half_turn: bool) -> dict[str, Array]:
    """Errors (K,) by official name for K matched pairs, row i of one table with row i of the other.

    `trans_err` and `vel_err` are planar distances in metres and metres per second, `scale_err` is 1 - IoU of
    the boxes laid onto each other, `orient_err` is an angle in radians, `attr_err` is 0 or 1. NaN where the
    annotation does not know: it does not count.

    Args:
        truth: annotated boxes.
        predicted: their predictions.
        half_turn: boxes turned by half a circle count as the same.
    """
    same = truth.attribute == predicted.attribute
    unknown = truth.attribute == ""
    return {
        "trans_err": planar_norm(predicted.translation[:, :2] - truth.translation[:, :2]),
        "scale_err": 1 - _aligned_iou(truth.size, predicted.size),
        "orient_err": _turn(truth.rotation, predicted.rotation, np.pi if half_turn else 2 * np.pi),
        "vel_err": planar_norm(predicted.velocity - truth.velocity),
        "attr_err": np.where(unknown, np.nan, 1 - same.astype(np.float64)),
    }


def _aligned_iou(a: Array, b: Array) -> Array:
    """3D IoU (K,) of boxes with sizes (K, 3) that share centre and heading."""
    shared = _volume(np.minimum(a, b))
    return shared / (_volume(a) + _volume(b) - shared)


def _volume(size: Array) -> Array:
    return size[:, 0] * size[:, 1] * size[:, 2]


def _turn(truth: Array, predicted: Array, period: float) -> Array:
    """Smallest angle (K,) in radians between the headings of quaternions (K, 4), up to `period`."""
    angles = np.empty(len(truth))
    for row, (a, b) in enumerate(zip(truth, predicted, strict=True)):
        difference = (yaw(a) - yaw(b) + period / 2) % period - period / 2
        angles[row] = abs(difference - 2 * np.pi if difference > np.pi else difference)
    return angles
