"""Boxes of many samples as columns, ground truth and predictions alike, in the global frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class BikeRacks(TypedDict):
    """Annotated bicycle racks of one sample; fields as in `SampleTruth`."""

    translation: Any
    size: Any
    rotation: Any


class SampleTruth(TypedDict):
    """What judging the detections of one sample needs; more keys are allowed.

    The N boxes are those of the ten detection classes, unfiltered, as the tables have them.
    """

    token: str
    ego2global: Any  # (4, 4) ego pose at the LIDAR_TOP time stamp
    bike_racks: BikeRacks
    translation: Any  # (N, 3) box centre, metres, global frame
    size: Any  # (N, 3) width, length, height, metres
    rotation: Any  # (N, 4) quaternion wxyz, global frame
    velocity: Any  # (N, 2) metres per second, global frame; NaN if unknown
    label: Any  # (N,) index into DETECTION_CLASSES
    num_lidar_pts: Any  # (N,)
    num_radar_pts: Any  # (N,)
    attribute: Sequence[str]  # N names, "" without


@dataclass(frozen=True)
class GlobalDetections:
    """Predicted boxes of one sample in the global frame; fields as in `SampleTruth`, N of each."""

    translation: Array
    size: Array
    rotation: Array
    velocity: Array
    label: NDArray[np.int64]
    score: Array
    attribute: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.score)


@dataclass(frozen=True)
class BoxTable:
    """Boxes of many samples, one row each, sorted by sample.

    `sample` is the index of a row's sample. `score` is -1 for ground truth, `points` is -1 for predictions.
    """

    sample: NDArray[np.int64]
    translation: Array
    size: Array
    rotation: Array
    velocity: Array
    label: NDArray[np.int64]
    score: Array
    points: NDArray[np.int64]
    attribute: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.sample)

    def select(self, rows: NDArray[Any]) -> BoxTable:
        """The rows of a mask or of indices."""
        return BoxTable(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @classmethod
    def of_truth(cls, samples: Sequence[SampleTruth]) -> BoxTable:
        """All annotated boxes of the samples, in their order."""
        counts = [len(sample["label"]) for sample in samples]
        lidar = _column([sample["num_lidar_pts"] for sample in samples], np.int64)
        return cls(
            sample=np.repeat(np.arange(len(samples)), counts),
            **_geometry(samples),
            label=_column([sample["label"] for sample in samples], np.int64),
            score=np.full(len(lidar), -1.0),
            points=lidar + _column([sample["num_radar_pts"] for sample in samples], np.int64),
            attribute=_names([sample["attribute"] for sample in samples]),
        )

    @classmethod
    def of_detections(cls, samples: Sequence[GlobalDetections]) -> BoxTable:
        """All predicted boxes of the samples, in their order."""
        counts = [len(sample) for sample in samples]
        return cls(
            sample=np.repeat(np.arange(len(samples)), counts),
            **_geometry([vars(sample) for sample in samples]),
            label=_column([sample.label for sample in samples], np.int64),
            score=_column([sample.score for sample in samples], np.float64),
            points=np.full(sum(counts), -1, dtype=np.int64),
            attribute=_names([sample.attribute for sample in samples]),
        )


def _geometry(boxes: Sequence[Mapping[str, Any]]) -> dict[str, Array]:
    widths = {"translation": 3, "size": 3, "rotation": 4, "velocity": 2}
    return {name: _column([box[name] for box in boxes], np.float64, width) for name, width in widths.items()}


def _column(parts: Sequence[Any], dtype: type, width: int | None = None) -> NDArray[Any]:
    """Values of all samples under each other, (N,) or (N, width)."""
    shape = (-1,) if width is None else (-1, width)
    # The empty column in front gives the result its shape when there is no sample at all.
    columns: list[NDArray[Any]] = [
        np.zeros(0, dtype).reshape(shape),
        *(np.asarray(part, dtype).reshape(shape) for part in parts),
    ]
    return np.concatenate(columns)


def _names(parts: Sequence[Iterable[str]]) -> NDArray[np.object_]:
    names = [name for part in parts for name in part]
    result = np.empty(len(names), dtype=object)
    result[:] = names
    return result
