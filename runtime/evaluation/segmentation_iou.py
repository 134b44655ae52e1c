"""Intersection over union of label maps, by way of the confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor


def confusion_matrix(predicted: Tensor, truth: Tensor, num_classes: int, ignore_index: int = -1) -> Tensor:
    """Cells by truth (row) and prediction (column): (num_classes, num_classes) int64.

    Args:
        predicted: labels of any shape, int64.
        truth: labels of the same shape; cells with `ignore_index` do not count.
        num_classes: labels are in [0, num_classes).
        ignore_index: label of unknown cells.

    Raises:
        ValueError: the shapes differ, or a label is out of range.
    """
    if predicted.shape != truth.shape:
        raise ValueError(f"predicted labels {tuple(predicted.shape)} against truth {tuple(truth.shape)}")
    known = truth != ignore_index
    rows, columns = truth[known], predicted[known]
    for name, labels in (("true", rows), ("predicted", columns)):
        if labels.numel() == 0:
            continue
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= num_classes:
            raise ValueError(f"{name} labels are in [{low}, {high}], expected [0, {num_classes})")
    cells = torch.bincount(rows * num_classes + columns, minlength=num_classes**2)
    return cells.view(num_classes, num_classes)


def iou_per_class(confusion: ArrayLike) -> list[float]:
    """Intersection over union of each class; NaN for a class that neither truth nor prediction has."""
    matrix = np.asarray(confusion, dtype=np.float64)
    shared = np.diag(matrix)
    union = matrix.sum(axis=0) + matrix.sum(axis=1) - shared
    return [float(s / u) if u > 0 else float("nan") for s, u in zip(shared, union, strict=True)]


def iou_summary(confusion: ArrayLike, class_names: Sequence[str]) -> dict[str, float]:
    """`IoU/<class>`, `mIoU` over all classes but the first, which is the background, and `mIoU_all` over all.

    Classes without a value are left out of the means; a mean over none is NaN.
    """
    values = iou_per_class(confusion)
    result = {f"IoU/{name}": value for name, value in zip(class_names, values, strict=True)}
    return {**result, "mIoU": _mean(values[1:]), "mIoU_all": _mean(values)}


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
