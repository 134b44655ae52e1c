"""The compiler imports no runtime, so that it repeats some of its names."""

from __future__ import annotations

from runtime.evaluation.nuscenes_detection import evaluate_detections
from runtime.geometry.class_names import DETECTION_CLASSES
from runtime.tasks.segmentation.metric import SegmentationIoU
from specgen.rules.stages import METRIC_VALUES
from specgen.rules.tasks import DATASET_CLASSES


def test_names_are_those_of_the_runtime() -> None:
    assert DATASET_CLASSES == DETECTION_CLASSES
    results = {
        "SegmentationIoU": SegmentationIoU().compute(),
        "NuscenesDetectionMetric": evaluate_detections([], {}).summary(),
    }
    assert {name: {key for key in values if "/" not in key} for name, values in results.items()} == {
        name: set(values) for name, values in METRIC_VALUES.items()
    }
