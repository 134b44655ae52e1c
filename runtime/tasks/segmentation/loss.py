"""Cross entropy of map segmentation, as a choice among classes or as one yes/no per class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CrossEntropyLossV2(nn.Module):
    """Softmax or sigmoid cross entropy with class weights and ignored cells.

    Args:
        loss_name: the loss is returned as `loss_<loss_name>`.
        reduction: `mean` over the known cells (with softmax weighted by class, as in
            `torch.nn.CrossEntropyLoss`), or `sum`.
        ignore_index: target value of the cells that do not count.
        use_sigmoid: binary cross entropy on targets (B, C, h, w) instead of softmax on labels (B, h, w).
        class_weight: with softmax the weight of each class; with sigmoid the weight of a positive cell
            relative to a negative one (HDMapNet's way against rare lines). One number stands for all
            channels.
    """

    class_weight: Tensor | None

    def __init__(
        self,
        *,
        loss_name: str = "decode",
        reduction: Literal["mean", "sum"] = "mean",
        ignore_index: int = -1,
        use_sigmoid: bool = False,
        class_weight: float | Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if reduction not in ("mean", "sum"):
            raise ValueError(f"reduction is {reduction!r}, expected 'mean' or 'sum'")
        self.loss_name = loss_name
        self.reduction = reduction
        self.ignore_index = ignore_index
        self.use_sigmoid = use_sigmoid
        weight = (
            None if class_weight is None else torch.as_tensor(class_weight, dtype=torch.float32).reshape(-1)
        )
        self.register_buffer("class_weight", weight, persistent=False)

    def forward(self, logits: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Logits (B, C, h, w) against targets (B, h, w) int64, or (B, C, h, w) float with `use_sigmoid`.

        Returns:
            `{"loss_<loss_name>": scalar}`, computed in float32; 0 when every cell is ignored.

        Raises:
            ValueError: the shapes do not fit, or the number of class weights is not C.
        """
        expected = logits.shape if self.use_sigmoid else (logits.shape[0], *logits.shape[2:])
        if tuple(targets.shape) != tuple(expected):
            raise ValueError(
                f"targets have shape {tuple(targets.shape)}, expected {tuple(expected)} "
                f"for logits of shape {tuple(logits.shape)}"
            )
        weight = self._weight(logits)
        logits = logits.float()
        loss = (
            self._binary(logits, targets, weight)
            if self.use_sigmoid
            else self._softmax(logits, targets, weight)
        )
        return {f"loss_{self.loss_name}": loss}

    def _weight(self, logits: Tensor) -> Tensor | None:
        weight, channels = self.class_weight, logits.shape[1]
        if weight is None:
            return None
        if weight.numel() not in (1, channels):
            raise ValueError(
                f"`class_weight` has {weight.numel()} values, the logits have {channels} channels"
            )
        return weight.to(logits.device).expand(channels)

    def _softmax(self, logits: Tensor, targets: Tensor, weight: Tensor | None) -> Tensor:
        total = F.cross_entropy(
            logits, targets, weight=weight, ignore_index=self.ignore_index, reduction="sum"
        )
        if self.reduction == "sum":
            return total
        known = targets != self.ignore_index
        if weight is None:
            count = known.sum().float()
        else:
            count = (weight[torch.where(known, targets, 0)] * known).sum()
        return total / count.clamp(min=1e-12)

    def _binary(self, logits: Tensor, targets: Tensor, weight: Tensor | None) -> Tensor:
        known = (targets != self.ignore_index).float()
        positive = None if weight is None else weight.view(-1, 1, 1)
        cells = F.binary_cross_entropy_with_logits(
            logits, targets * known, pos_weight=positive, reduction="none"
        )
        total = (cells * known).sum()
        return total if self.reduction == "sum" else total / known.sum().clamp(min=1.0)
