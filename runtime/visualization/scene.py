"""Everything that one picture shows."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


def _no_boxes() -> Array:
    return np.zeros((0, 9))


def _no_labels() -> Labels:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Boxes:
    """Boxes of the ego frame: `values` (N, 9) x, y, z, w, l, h, yaw, vx, vy; `labels` (N,); `scores` (N,)
    or None for truth."""

    values: Array = field(default_factory=_no_boxes)
    labels: Labels = field(default_factory=_no_labels)
    scores: Array | None = None

    def above(self, threshold: float) -> "Boxes":
        """The boxes with at least this score, worst first, so that the best are drawn on top."""
        if self.scores is None:
            return self
        order = np.argsort(self.scores, kind="stable")
        order = order[self.scores[order] >= threshold]
        return Boxes(self.values[order], self.labels[order], self.scores[order])


@dataclass(frozen=True)
class Scene:
    """One sample with its predictions.

    Args:
        token: sample token.
        images: six images uint8 (h, w, 3) RGB in view order.
        ego2img: (6, 4, 4) for those images.
        truth: annotated boxes; None when nobody knows what is true.
        predicted: predicted boxes with scores.
        truth_map: labels (h, w) on the map grid, rows y from right, columns x from back; None without a map
            task or truth.
        predicted_map: the same, predicted; None without a map task.
        bev_size: (half_y, half_x, metres_per_cell) of the detection grid.
        map_size: the same of the map grid.
    """

    token: str
    images: list[NDArray[np.uint8]]
    ego2img: Array
    truth: Boxes | None
    predicted: Boxes
    truth_map: Labels | None
    predicted_map: Labels | None
    bev_size: tuple[float, float, float]
    map_size: tuple[float, float, float]
