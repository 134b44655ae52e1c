"""Focal loss on Gaussian heatmaps."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from runtime.tasks.detection.positives import positives_per_rank


class GaussianFocalLoss(nn.Module):
    """Penalty-reduced pixel-wise focal loss (Law and Deng, CornerNet, 2018, equation 1).

    With p the probability and y the target: -(1 - p)^alpha log p where y = 1, and
    -(1 - y)^gamma p^alpha log(1 - p) elsewhere; the sum is divided by the number of positives.

    Args:
        loss_weight: factor of the result.
        alpha: how much easy cells count less.
        gamma: how much cells near a peak count less.
    """

    def __init__(self, *, loss_weight: float = 1.0, alpha: float = 2.0, gamma: float = 4.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.alpha = alpha
        self.gamma = gamma

    def forward(self, logits: Tensor, target: Tensor, num_pos: Tensor) -> Tensor:
        """Scalar loss, computed in float32.

        Args:
            logits: (B, K, H, W) before the sigmoid.
            target: heatmap of the same shape.
            num_pos: float scalar, the boxes of this process; averaged over all processes here.

        Raises:
            ValueError: the shapes differ.
        """
        if logits.shape != target.shape:
            raise ValueError(f"heatmap logits {tuple(logits.shape)} against target {tuple(target.shape)}")
        logits = logits.float()
        probability = logits.sigmoid()
        positive = -(1 - probability).pow(self.alpha) * F.logsigmoid(logits)
        # log(1 - sigmoid(x)) is logsigmoid(-x): finite for every finite logit.
        negative = -(1 - target).pow(self.gamma) * probability.pow(self.alpha) * F.logsigmoid(-logits)
        total = torch.where(target == 1, positive, negative).sum()
        return self.loss_weight * total / positives_per_rank(num_pos.to(total.device))
