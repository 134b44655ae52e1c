"""The classes of both tasks, in the order that labels and channels follow."""

from __future__ import annotations

from typing import Final

DETECTION_CLASSES: Final[tuple[str, ...]] = (
    "car",
    "truck",
    "construction_vehicle",
    "bus",
    "trailer",
    "barrier",
    "motorcycle",
    "bicycle",
    "pedestrian",
    "traffic_cone",
)
"""Ten classes of the nuScenes detection task; a label is an index into this tuple."""

MAP_CLASSES: Final[tuple[str, ...]] = ("others", "divider", "ped_crossing", "boundary")
"""Map segmentation as in HDMapNet; index 0 is everything that is none of the three kinds of line."""
