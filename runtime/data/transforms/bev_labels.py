"""What the BEV transforms share about the labels that move with the features."""

from __future__ import annotations

from typing import Any

import torch

from runtime.geometry.bev_grid import BevGrid


def keep_inside(
    boxes: torch.Tensor, labels: torch.Tensor, grid: BevGrid
) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes (N, 9) and labels (N,) whose centre lies on the grid."""
    x, y = boxes[:, 0], boxes[:, 1]
    inside = (x >= -grid.half_x) & (x < grid.half_x) & (y >= -grid.half_y) & (y < grid.half_y)
    return boxes[inside], labels[inside]


def wrapped(yaw: torch.Tensor) -> torch.Tensor:
    """Angles in radians brought into [-pi, pi)."""
    return torch.remainder(yaw + torch.pi, 2 * torch.pi) - torch.pi


def with_labels(
    batch: dict[str, Any],
    boxes: list[torch.Tensor],
    labels: list[torch.Tensor],
    segmentation: torch.Tensor | None,
) -> dict[str, Any]:
    """A copy of the batch with other labels; everything else is shared with the old one."""
    changed = batch | {"gt_boxes": boxes, "gt_labels": labels}
    return changed if segmentation is None else changed | {"gt_seg": segmentation}
