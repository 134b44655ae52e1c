"""`result.json`: what the model found, in the ego frame and, where the car's place is known, globally."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.deployment.infer.prediction import Detections, MapLabels, Prediction
from runtime.evaluation.global_boxes import detections_to_global
from runtime.geometry.class_names import DETECTION_CLASSES, MAP_CLASSES

FORMAT = 1
RESULT_FILE = "result.json"
PICTURE_FILE = "picture.png"
_FRAMES = {
    "ego": "x forward, y left, z up, origin on the ground below the rear axle; metres, radians, seconds",
    "global": "the map frame of nuScenes, through `ego_to_global`; rotation is a quaternion w, x, y, z",
    "size": "width, length, height, as nuScenes orders them",
}


def map_file(decoder: str) -> str:
    """Name of the index map of a decoder."""
    return f"map-{decoder}.png"


def result_document(prediction: Prediction, model: dict[str, Any], run: dict[str, Any]) -> dict[str, Any]:
    """The whole document.

    Args:
        prediction: of the model.
        model: what identifies the model.
        run: what else the numbers depend on, such as versions.
    """
    frame = prediction.frame
    return {
        "format": FORMAT,
        "sample": frame.name,
        "inputs": frame.source,
        "image_size": {"stored": _sides(frame.size), "network": _sides(prediction.network_size)},
        "model": model,
        **run,
        "output_digest": prediction.output_digest,
        "frames": _FRAMES,
        "picture": PICTURE_FILE,
        "tasks": {name: _task(name, result, prediction) for name, result in prediction.results.items()},
    }


def _task(name: str, result: Detections | MapLabels, prediction: Prediction) -> dict[str, Any]:
    if isinstance(result, Detections):
        return {"kind": "boxes", "boxes": _boxes(result, prediction.frame.ego2global)}
    return _map(name, result)


def _boxes(found: Detections, ego2global: NDArray[np.float64] | None) -> list[dict[str, Any]]:
    rows = [
        {
            "class": DETECTION_CLASSES[int(label)],
            "score": _short(score),
            "center": _list(box[:3]),
            "size": _list(box[3:6]),
            "yaw": _short(box[6]),
            "velocity": _list(box[7:9]),
        }
        for box, score, label in zip(found.boxes, found.scores, found.labels, strict=True)
    ]
    if ego2global is None:
        return rows
    there = detections_to_global(found.boxes, found.scores, found.labels, ego2global)
    return [
        {
            **row,
            "global": {
                "center": there.translation[at].tolist(),
                "rotation": there.rotation[at].tolist(),
                "velocity": there.velocity[at].tolist(),
            },
        }
        for at, row in enumerate(rows)
    ]


def _map(name: str, found: MapLabels) -> dict[str, Any]:
    half_y, half_x, cell = found.size
    classes = max(len(MAP_CLASSES), int(found.labels.max()) + 1)
    counts = np.bincount(found.labels.reshape(-1), minlength=classes).tolist()
    return {
        "kind": "map",
        "file": map_file(name),
        "cell": cell,
        "half_x": half_x,
        "half_y": half_y,
        "pixels": "pixel (row r, column c) has its centre at x = half_x - (r + 0.5) cell, "
        "y = half_y - (c + 0.5) cell; its value is the class's index",
        "classes": [
            {"index": index, "class": map_class(index), "cells": count, "area": round(count * cell**2, 6)}
            for index, count in enumerate(counts)
        ],
    }


def map_class(index: int) -> str:
    """Name of a map class; those of a map of our own have none."""
    return MAP_CLASSES[index] if index < len(MAP_CLASSES) else f"class {index}"


def _sides(size: tuple[int, int]) -> dict[str, int]:
    return {"width": size[1], "height": size[0]}


def _list(values: NDArray[np.float32]) -> list[float]:
    return [_short(value) for value in values]


def _short(value: np.floating[Any]) -> float:
    """The shortest decimal that is this float32 and no other."""
    return float(str(np.float32(value)))
