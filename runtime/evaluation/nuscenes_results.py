"""The official nuScenes result file, which the stock devkit and the leaderboard read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runtime.atomic_file import write_bytes
from runtime.evaluation.box_table import GlobalDetections
from runtime.evaluation.detection_protocol import MAX_BOXES_PER_SAMPLE
from runtime.geometry.class_names import DETECTION_CLASSES

_META = {"use_camera": True, "use_lidar": False, "use_radar": False, "use_map": False, "use_external": False}


def results_document(predictions: Mapping[str, GlobalDetections]) -> dict[str, Any]:
    """Predictions by sample token as the result format has them: `meta` and `results`.

    Raises:
        ValueError: a sample has more boxes than the format allows.
    """
    return {"meta": _META, "results": {token: _sample(token, boxes) for token, boxes in predictions.items()}}


def write_results(path: Path, predictions: Mapping[str, GlobalDetections]) -> None:
    """Writes the result file. Floats keep all their digits.

    Raises:
        RunError: the file cannot be written.
    """
    write_bytes(path, json.dumps(results_document(predictions)).encode())


def _sample(token: str, boxes: GlobalDetections) -> list[dict[str, Any]]:
    if len(boxes) > MAX_BOXES_PER_SAMPLE:
        raise ValueError(f"sample {token} has {len(boxes)} boxes, at most {MAX_BOXES_PER_SAMPLE} are allowed")
    return [
        {
            "sample_token": token,
            "translation": boxes.translation[row].tolist(),
            "size": boxes.size[row].tolist(),
            "rotation": boxes.rotation[row].tolist(),
            "velocity": boxes.velocity[row].tolist(),
            "detection_name": DETECTION_CLASSES[int(boxes.label[row])],
            "detection_score": float(boxes.score[row]),
            "attribute_name": str(boxes.attribute[row]),
        }
        for row in range(len(boxes))
    ]
