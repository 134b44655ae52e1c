"""From a packed record to what a model is taught: projection matrices, ego-frame boxes, and which count."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.geometry.bev_grid import BevGrid
from runtime.geometry.camera import ego2img_matrix
from runtime.geometry.frames import inverse, transform_points

Array = NDArray[np.float64]


def ego2img_of(record: dict[str, Any]) -> Array:
    """`ego2img` (6, 4, 4) for the images as stored."""
    return np.stack(
        [
            ego2img_matrix(camera["intrinsic"], camera["cam2ego"], camera["ego2global"], record["ego2global"])
            for camera in record["cameras"]
        ]
    )


def ego_boxes(record: dict[str, Any]) -> Array:
    """A record's boxes in the ego frame: (N, 9) as in `runtime.geometry.boxes`, NaN: velocity unknown."""
    boxes = record["boxes"]
    if len(boxes["label"]) == 0:
        return np.zeros((0, 9))
    global2ego = inverse(record["ego2global"])
    rotation = global2ego[:3, :3]
    centre = transform_points(global2ego, boxes["translation"])
    heading = _headings(boxes["rotation"]) @ rotation.T
    yaw = np.arctan2(heading[:, 1], heading[:, 0])
    flat_velocity = np.pad(boxes["velocity"], ((0, 0), (0, 1)))
    velocity = (flat_velocity @ rotation.T)[:, :2]
    return np.concatenate([centre, boxes["size"], yaw[:, None], velocity], axis=1)


def taught(record: dict[str, Any], boxes: Array, grid: BevGrid) -> NDArray[np.bool_]:
    """Which boxes (N,) are labels: centre on the BEV grid, seen by at least one lidar or radar point."""
    points = record["boxes"]["num_lidar_pts"] + record["boxes"]["num_radar_pts"]
    return grid.contains(boxes[:, :2]) & (points > 0)


def _headings(quaternions: Array) -> Array:
    """The x axis turned by quaternions wxyz (N, 4): (N, 3), the first columns of their rotation matrices."""
    w, x, y, z = (quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)).T
    return np.stack([1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)], axis=1)
