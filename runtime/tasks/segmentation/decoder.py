"""Class labels from segmentation logits."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class FCNDecoder(nn.Module):
    """Picks one class a cell.

    Args:
        upsample_output_scale: the logits are up-sampled bilinearly by this factor first.
        use_bce: channels are independent yes/no answers; without, the largest logit wins.
        bg_cls: with BCE, the channel that stands for background; -1 when every channel is a foreground class,
            as `FCNTarget` makes them: then label 0 is background and channel k is label k + 1.
        threshold: with BCE, the probability that a foreground class must exceed; below it a cell is
            background.
    """

    def __init__(
        self,
        *,
        upsample_output_scale: int = 1,
        use_bce: bool = False,
        bg_cls: int = -1,
        threshold: float = 0.5,
    ) -> None:
        super().__init__()
        if upsample_output_scale < 1:
            raise ValueError(f"upsample_output_scale is {upsample_output_scale}, expected at least 1")
        self.upsample_output_scale = upsample_output_scale
        self.use_bce = use_bce
        self.bg_cls = bg_cls
        self.threshold = threshold

    def forward(self, logits: Tensor) -> Tensor:
        """Logits (B, C, h, w) to labels (B, h * scale, w * scale) int64."""
        if self.upsample_output_scale > 1:
            logits = F.interpolate(
                logits, scale_factor=self.upsample_output_scale, mode="bilinear", align_corners=False
            )
        if not self.use_bce:
            return logits.argmax(dim=1)
        probability = logits.float().sigmoid()
        background = self.bg_cls
        if background >= 0:
            # Background must not win over a foreground class that is above the threshold.
            probability = probability.index_fill(1, probability.new_tensor([background]).long(), -1.0)
        best, channel = probability.max(dim=1)
        label = channel if background >= 0 else channel + 1
        return label.masked_fill(best <= self.threshold, max(background, 0))
