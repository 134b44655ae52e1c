"""Weighted absolute error of box codes."""

from __future__ import annotations

from torch import Tensor, nn

from runtime.tasks.detection.positives import positives_per_rank


class L1Loss(nn.Module):
    """Sum of |pred - target| * weight over everything, divided by the number of boxes.

    Args:
        loss_weight: factor of the result.
    """

    def __init__(self, *, loss_weight: float = 0.25) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, pred: Tensor, target: Tensor, weight: Tensor, num_pos: Tensor) -> Tensor:
        """Scalar loss, computed in float32.

        Args:
            pred: (B, max_num, 10) box codes.
            target: the same shape, finite.
            weight: the same shape, 0 where nothing is to be learnt.
            num_pos: float scalar, the boxes of this process; averaged over all processes here.

        Raises:
            ValueError: the shapes differ.
        """
        if not pred.shape == target.shape == weight.shape:
            shapes = tuple(pred.shape), tuple(target.shape), tuple(weight.shape)
            raise ValueError(f"box codes {shapes[0]} against target {shapes[1]} with weight {shapes[2]}")
        total = ((pred.float() - target).abs() * weight).sum()
        return self.loss_weight * total / positives_per_rank(num_pos.to(total.device))
