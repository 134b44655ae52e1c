"""Segmentation IoU gathered over batches and processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities.data import dim_zero_cat

from runtime.evaluation.sample_key import sample_key
from runtime.evaluation.segmentation_iou import confusion_matrix, iou_summary
from runtime.geometry.class_names import MAP_CLASSES


class SegmentationIoU(Metric):
    """IoU of each class and their means with and without background, over the samples seen.

    Works over processes: every process adds the samples it has, a sample that came twice (samplers pad their
    share) counts once.

    Args:
        name: the decoder whose predictions are judged.
        num_classes: number of labels, background included.
        ignore_index: label of the cells that do not count.
    """

    full_state_update = False
    higher_is_better = True
    cells: list[Tensor] | Tensor
    keys: list[Tensor] | Tensor

    def __init__(self, *, name: str = "bev_seg", num_classes: int = 4, ignore_index: int = -1) -> None:
        super().__init__()
        self.name = name
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self.add_state("cells", default=[], dist_reduce_fx="cat")
        self.add_state("keys", default=[], dist_reduce_fx="cat")

    def update(self, predictions: Tensor, batch: Mapping[str, Any]) -> None:
        """Adds the label maps of a batch.

        Args:
            predictions: labels (B, h, w) int64.
            batch: has `gt_seg` (B, h, w) int64 and the `token` of each sample.
        """
        truth = batch["gt_seg"].to(predictions.device)
        matrices = [
            confusion_matrix(labels, expected, self.num_classes, self.ignore_index)
            for labels, expected in zip(predictions, truth, strict=True)
        ]
        keys = torch.tensor([sample_key(token) for token in batch["token"]], dtype=torch.int64)
        if len(keys) != len(matrices):
            raise ValueError(f"{len(matrices)} label maps for {len(keys)} samples")
        for state, value in ((self.cells, torch.stack(matrices)), (self.keys, keys)):
            assert isinstance(state, list)
            state.append(value.to(self.device))

    def compute(self) -> dict[str, float]:
        """`IoU/<class>`, `mIoU` without the background class, `mIoU_all`; NaN where nothing was seen."""
        return iou_summary(self.confusion().numpy(), self._class_names())

    def confusion(self) -> Tensor:
        """Cells by truth (row) and prediction (column), (num_classes, num_classes) int64, on the CPU."""
        total = torch.zeros(self.num_classes, self.num_classes, dtype=torch.int64)
        if not len(self.keys):
            return total
        seen: set[int] = set()
        keys = dim_zero_cat(self.keys).tolist()
        for key, cells in zip(keys, dim_zero_cat(self.cells).cpu(), strict=True):
            if key not in seen:
                seen.add(key)
                total += cells
        return total

    def _class_names(self) -> list[str]:
        """The map classes where the number fits, otherwise the labels themselves."""
        if self.num_classes == len(MAP_CLASSES):
            return list(MAP_CLASSES)
        return [str(label) for label in range(self.num_classes)]
