"""A spinning lidar of 32 beams that is cast against the boxes of the world.

Every point lies on the ground or on a box; what stands behind something else is not hit. Point counts of
annotations and their visibility come from the same rays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtime.geometry.boxes import box_corners

Array = NDArray[np.float64]
Rows = NDArray[np.float64]

BEAMS: Final = 32
STEPS: Final = 900
_LOWEST, _HIGHEST = np.radians(-30.67), np.radians(10.67)  # the beams of the nuScenes cars' lidar
_RANGE: Final = 70.0
_CLOSEST: Final = 1.2
_ELEVATIONS: Final = np.linspace(_LOWEST, _HIGHEST, BEAMS)
_AZIMUTHS: Final = np.arange(STEPS) * 2 * np.pi / STEPS - np.pi
_KEEP_REST: Final = 9  # of so many returns that are not from annotated objects one is written

_RAYS: Final = np.stack(  # (BEAMS, STEPS, 3), directions in the sensor frame
    [
        np.cos(_ELEVATIONS)[:, None] * np.cos(_AZIMUTHS),
        np.cos(_ELEVATIONS)[:, None] * np.sin(_AZIMUTHS),
        np.broadcast_to(np.sin(_ELEVATIONS)[:, None], (BEAMS, STEPS)),
    ],
    axis=-1,
)


@dataclass(frozen=True)
class Sweep:
    """One turn of the lidar.

    Args:
        points: (N, 5) float32: x, y, z in the sensor frame, intensity, ring index.
        hits: (B,), returns from each of the boxes.
        share: (B,), visible part of each box, 0 for a box that no ray would meet anyway.
    """

    points: NDArray[np.float32]
    hits: NDArray[np.int64]
    share: Array


def cast(lidar2global: Array, boxes: Rows, objects: int, rng: np.random.Generator) -> Sweep:
    """Cast all rays against the ground z = 0 and boxes (B, 7) in map metres.

    The first `objects` boxes are those that are annotated: all their returns are written, of the others and
    of the ground only some, which keeps files small.

    A return is lost with a probability that grows with its distance, as dark or slanted surfaces lose it.
    """
    rotation, origin = lidar2global[:3, :3], lidar2global[:3, 3]
    rays = _RAYS @ rotation.T
    with np.errstate(divide="ignore"):
        nearest = np.where(rays[..., 2] < -1e-3, -origin[2] / rays[..., 2], np.inf)
    nearest[nearest > _RANGE] = np.inf
    owner = np.full((BEAMS, STEPS), -1, dtype=np.int64)
    alone = np.zeros(len(boxes), dtype=np.int64)
    for i, (beams, steps) in enumerate(_windows(origin, rotation, boxes)):
        if len(beams) == 0:
            continue
        window = np.ix_(beams, steps)
        distance = _meet(origin, rays[window], boxes[i])
        distance[(distance > _RANGE) | (distance < _CLOSEST)] = np.inf
        alone[i] = int(np.isfinite(distance).sum())
        closer = distance < nearest[window]
        nearest[window] = np.where(closer, distance, nearest[window])
        owner[window] = np.where(closer, i, owner[window])
    seen = np.bincount(owner[owner >= 0], minlength=len(boxes))
    share = seen / np.maximum(alone, 1)
    returned = np.isfinite(nearest) & (rng.random(nearest.shape) > 0.05 + 0.4 * (nearest / _RANGE) ** 2)
    owner[~returned] = -1
    hits = np.bincount(owner[owner >= 0], minlength=len(boxes))
    spread = np.arange(BEAMS)[:, None] * 5 + np.arange(STEPS)
    of_object = (owner >= 0) & (owner < objects)
    written = returned & (of_object | (spread % _KEEP_REST == 0))
    ring = np.broadcast_to(np.arange(BEAMS)[:, None], owner.shape)[written]
    xyz = _RAYS[written] * nearest[written][:, None]
    intensity = np.where(owner[written] >= 0, 40.0, 12.0) / (1.0 + nearest[written] / 30.0)
    points = np.column_stack([xyz, intensity, ring]).astype(np.float32)
    return Sweep(points, hits.astype(np.int64), share)


def _windows(
    origin: Array, rotation: Array, boxes: Rows
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """For each box the beams and the azimuth steps whose rays can meet it; no beams if it is out of range."""
    if len(boxes) == 0:
        return []
    corners = (box_corners(boxes) - origin) @ rotation
    middle = corners.mean(axis=1)
    reach = np.linalg.norm(corners[..., :2] - middle[:, None, :2], axis=-1).max(axis=1)
    distance = np.linalg.norm(middle[:, :2], axis=1)
    near = np.maximum(distance - reach, 0.3)
    # The steepest ray that can meet a box meets it at its nearest side, the flattest at its farthest.
    low, high = corners[..., 2].min(axis=1), corners[..., 2].max(axis=1)
    lowest = np.arctan2(low, np.where(low < 0, near, distance + reach))
    highest = np.arctan2(high, np.where(high > 0, near, distance + reach))
    first_beam = np.searchsorted(_ELEVATIONS, lowest - 1e-6)
    last_beam = np.searchsorted(_ELEVATIONS, highest + 1e-6)
    heading = np.arctan2(middle[:, 1], middle[:, 0])
    azimuth = np.arctan2(corners[..., 1], corners[..., 0]) - heading[:, None]
    offset = (azimuth + np.pi) % (2 * np.pi) - np.pi
    step = 2 * np.pi / STEPS
    first = np.floor((heading + offset.min(axis=1) + np.pi) / step).astype(np.int64)
    last = np.ceil((heading + offset.max(axis=1) + np.pi) / step).astype(np.int64)
    around = distance < 1.5 * reach  # so near that the box may lie on both sides of the sensor
    windows = []
    for i in range(len(boxes)):
        if near[i] > _RANGE:
            windows.append((np.arange(0), np.arange(0)))
            continue
        steps = np.arange(STEPS) if around[i] else np.arange(first[i], last[i] + 1) % STEPS
        windows.append((np.arange(first_beam[i], last_beam[i]), steps))
    return windows


def _meet(origin: Array, rays: Array, box: Array) -> Array:
    """Distance along rays (E, A, 3) to the box (x, y, z, w, l, h, yaw), inf where they miss: slab method."""
    cos, sin = np.cos(box[6]), np.sin(box[6])
    offset = origin - box[:3]
    start = (offset[0] * cos + offset[1] * sin, -offset[0] * sin + offset[1] * cos, offset[2])
    slopes = (
        rays[..., 0] * cos + rays[..., 1] * sin,
        -rays[..., 0] * sin + rays[..., 1] * cos,
        rays[..., 2],
    )
    enter, leave = 0.0, np.inf
    for position, slope, half in zip(start, slopes, (box[4] / 2, box[3] / 2, box[5] / 2), strict=True):
        inverse = 1.0 / np.where(np.abs(slope) < 1e-9, 1e-9, slope)
        a, b = (-half - position) * inverse, (half - position) * inverse
        enter, leave = np.maximum(enter, np.minimum(a, b)), np.minimum(leave, np.maximum(a, b))
    return np.asarray(np.where((leave >= enter) & (leave > 0), enter, np.inf))
