"""Labels of the map grid in the form that the loss compares with."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class FCNTarget(nn.Module):
    """Turns a label map into the target of the segmentation loss.

    Args:
        use_bce: one independent yes/no per foreground class instead of one choice among all classes.
        num_classes: channels of the logits: with BCE the foreground classes, without also the background
            (label 0).
    """

    def __init__(self, *, use_bce: bool = False, num_classes: int = 4) -> None:
        super().__init__()
        if num_classes < 1:
            raise ValueError(f"num_classes is {num_classes}, expected at least 1")
        self.use_bce = use_bce
        self.num_classes = num_classes

    def forward(self, gt_seg: Tensor) -> Tensor:
        """Labels (B, h, w) int64 to targets.

        Returns:
            without BCE the labels themselves; with BCE (B, num_classes, h, w) float32, channel k being 1
            where the label is k + 1. A label outside [0, num_classes] marks an unknown cell: it is repeated
            in every channel, where the loss finds it by its `ignore_index`.
        """
        if not self.use_bce:
            return gt_seg
        classes = torch.arange(1, self.num_classes + 1, device=gt_seg.device).view(1, -1, 1, 1)
        labels = gt_seg.unsqueeze(1)
        unknown = (labels < 0) | (labels > self.num_classes)
        return torch.where(unknown, labels, (labels == classes).to(labels.dtype)).float()
