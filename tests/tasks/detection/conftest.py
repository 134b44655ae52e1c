"""The reference's tasks on a small grid."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.geometry.class_names import DETECTION_CLASSES

TASKS = [
    ["car"],
    ["truck", "construction_vehicle"],
    ["bus", "trailer"],
    ["barrier"],
    ["motorcycle", "bicycle"],
    ["pedestrian", "traffic_cone"],
]


@pytest.fixture
def target_arguments() -> dict[str, Any]:
    """Arguments of the target: 32 x 40 cells of 0.8 m."""
    return {
        "class_names": DETECTION_CLASSES,
        "tasks": TASKS,
        "bev_size": (12.8, 16.0, 0.8),
        "bbox_weight": [1.0] * 8 + [0.2] * 2,
    }


@pytest.fixture
def decoder_arguments() -> dict[str, Any]:
    """Arguments of the decoder, with the reference's suppression."""
    return {
        "class_names": DETECTION_CLASSES,
        "tasks": TASKS,
        "bev_size": (12.8, 16.0, 0.8),
        "nms_type": ["rotate", "rotate", "rotate", "circle", "rotate", "rotate"],
        "min_radius": [4, 12, 10, 1, 0.85, 0.175],
        "nms_threshold": [0.2, 0.2, 0.2, 0.2, 0.2, 0.5],
    }
