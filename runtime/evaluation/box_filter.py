"""Which boxes the nuScenes detection task counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from runtime.evaluation.box_table import BikeRacks, BoxTable, SampleTruth
from runtime.evaluation.detection_protocol import BIKE_RACK_CLASSES, CLASS_RANGE
from runtime.evaluation.quaternion_matrix import rotation_matrix
from runtime.geometry.class_names import DETECTION_CLASSES

_RANGES = np.array([CLASS_RANGE[name] for name in DETECTION_CLASSES])
_BIKE_LABELS = np.array([label for label, name in enumerate(DETECTION_CLASSES) if name in BIKE_RACK_CLASSES])


def counted_boxes(table: BoxTable, samples: Sequence[SampleTruth]) -> BoxTable:
    """Boxes within their class's range, with at least one point (if annotated), outside bicycle racks."""
    table = table.select(_within_range(table, samples) & (table.points != 0))
    return table.select(~_in_bike_rack(table, samples))


def _within_range(table: BoxTable, samples: Sequence[SampleTruth]) -> NDArray[np.bool_]:
    poses = [np.asarray(sample["ego2global"], dtype=np.float64) for sample in samples]
    ego = np.array([pose[:2, 3] for pose in poses]).reshape(-1, 2)
    offset = table.translation[:, :2] - ego[table.sample]
    distance = np.sqrt(offset[:, 0] ** 2 + offset[:, 1] ** 2)
    return distance < _RANGES[table.label]


def _in_bike_rack(table: BoxTable, samples: Sequence[SampleTruth]) -> NDArray[np.bool_]:
    """Rows of two-wheelers whose centre lies in a rack of their sample, its faces included."""
    inside = np.zeros(len(table), dtype=bool)
    rows = np.flatnonzero(np.isin(table.label, _BIKE_LABELS))
    for index in np.unique(table.sample[rows]).tolist():
        here = rows[table.sample[rows] == index]
        inside[here] = _in_any(samples[index]["bike_racks"], table.translation[here])
    return inside


def _in_any(racks: BikeRacks, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Points (N, 3) that lie in one of the racks."""
    inside = np.zeros(len(points), dtype=bool)
    centres = np.asarray(racks["translation"], dtype=np.float64).reshape(-1, 3)
    sizes = np.asarray(racks["size"], dtype=np.float64).reshape(-1, 3)
    rotations = np.asarray(racks["rotation"], dtype=np.float64).reshape(-1, 4)
    for centre, (width, length, height), rotation in zip(centres, sizes, rotations, strict=True):
        # A corner of the box, then its neighbours along length, width and height.
        signs = np.array([[1, 1, 1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]]).T
        half = np.array([[length / 2], [width / 2], [height / 2]])
        corner, *neighbours = (np.dot(rotation_matrix(rotation), half * signs) + centre[:, None]).T
        offset = points - corner
        in_this = np.ones(len(points), dtype=bool)
        for neighbour in neighbours:
            edge = neighbour - corner
            along = np.dot(edge, offset.T)
            in_this &= (along >= 0) & (along <= np.dot(edge, edge))
        inside |= in_this
    return inside
