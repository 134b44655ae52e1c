"""The settings of the nuScenes detection task, known as `detection_cvpr_2019`.

https://www.nuscenes.org/object-detection. The order of classes and errors is the official one: sums of floats
depend on it in the last digit.
"""

from __future__ import annotations

from typing import Final

CLASS_RANGE: Final[dict[str, float]] = {
    "car": 50.0,
    "truck": 50.0,
    "bus": 50.0,
    "trailer": 50.0,
    "construction_vehicle": 50.0,
    "pedestrian": 40.0,
    "motorcycle": 40.0,
    "bicycle": 40.0,
    "traffic_cone": 30.0,
    "barrier": 30.0,
}
"""Metres from the ego car within which boxes of a class count."""

DISTANCE_THRESHOLDS: Final[tuple[float, ...]] = (0.5, 1.0, 2.0, 4.0)
"""Centre distances in metres below which a prediction matches; AP is averaged over them."""

ERROR_THRESHOLD: Final = 2.0
"""The centre distance whose matches the true positive errors are taken from."""

MIN_RECALL: Final = 0.1
MIN_PRECISION: Final = 0.1
RECALL_STEPS: Final = 101
MEAN_AP_WEIGHT: Final = 5
MAX_BOXES_PER_SAMPLE: Final = 500

ERROR_NAMES: Final[dict[str, str]] = {
    "trans_err": "mATE",
    "scale_err": "mASE",
    "orient_err": "mAOE",
    "vel_err": "mAVE",
    "attr_err": "mAAE",
}
"""True positive errors by their official field name, with the name of their mean over classes."""

ERRORS_WITHOUT_MEANING: Final[dict[str, frozenset[str]]] = {
    "traffic_cone": frozenset({"attr_err", "vel_err", "orient_err"}),
    "barrier": frozenset({"attr_err", "vel_err"}),
}
"""Errors that do not exist for a class: a cone has no heading, neither has attributes."""

HALF_TURN_CLASSES: Final = frozenset({"barrier"})
"""Classes that look the same turned by half a circle."""

BIKE_RACK_CLASSES: Final = frozenset({"bicycle", "motorcycle"})
"""Classes that are not judged inside an annotated bicycle rack."""
