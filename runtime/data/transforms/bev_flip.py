"""Mirroring the bird's-eye view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from runtime.data.transforms.bev_labels import with_labels, wrapped
from runtime.errors import RunError
from runtime.geometry.bev_grid import BevGrid


class BevFlip:
    """Mirrors BEV features together with boxes and map labels, drawn for each sample of a batch.

    Both grids are centred on the car, so that mirroring is exact.

    Args:
        bev_size: (half_y, half_x, metres_per_cell) of the features' range.
        map_size: the same of the map labels.
        prob_x: probability of swapping front and back (x becomes -x).
        prob_y: probability of swapping left and right (y becomes -y).

    Raises:
        RunError: a probability is outside 0 to 1.
    """

    def __init__(
        self,
        *,
        bev_size: Sequence[float],
        map_size: Sequence[float],
        prob_x: float = 0.5,
        prob_y: float = 0.5,
    ) -> None:
        for name, prob in (("prob_x", prob_x), ("prob_y", prob_y)):
            if not 0 <= prob <= 1:
                raise RunError(f"`BevFlip`: `{name}` must lie in 0 to 1, got {prob}")
        self.bev_grid = BevGrid.from_size(bev_size)
        self.map_grid = BevGrid.from_size(map_size)
        self.prob_x = prob_x
        self.prob_y = prob_y

    def __call__(self, feat: torch.Tensor, batch: dict[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
        """One draw a sample from torch's generator; `batch` is left as it is.

        Args:
            feat: (B, C, H, W) over the BEV range, rows along y, columns along x.
            batch: of `collate_nuscenes`.
        """
        draws = torch.rand(feat.shape[0], 2)
        return self.flip(feat, batch, draws[:, 0] < self.prob_x, draws[:, 1] < self.prob_y)

    def flip(
        self, feat: torch.Tensor, batch: dict[str, Any], flip_x: torch.Tensor, flip_y: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, Any]]:
        """Mirrors the samples where `flip_x`, `flip_y` (B,) say so."""
        axes = [_axes(x, y) for x, y in zip(flip_x.tolist(), flip_y.tolist(), strict=True)]
        feat = torch.stack([map_.flip(dims) if dims else map_ for map_, dims in zip(feat, axes, strict=True)])
        boxes = [
            _mirrored(rows, x, y)
            for rows, x, y in zip(batch["gt_boxes"], flip_x.tolist(), flip_y.tolist(), strict=True)
        ]
        segmentation = torch.stack(
            [seg.flip(dims) if dims else seg for seg, dims in zip(batch["gt_seg"], axes, strict=True)]
        )
        return feat, with_labels(batch, boxes, list(batch["gt_labels"]), segmentation)


def _axes(flip_x: bool, flip_y: bool) -> list[int]:
    """Tensor axes to reverse: columns lie along x, rows along y."""
    return [-1] * flip_x + [-2] * flip_y


def _mirrored(boxes: torch.Tensor, flip_x: bool, flip_y: bool) -> torch.Tensor:
    """Boxes (N, 9) with centre, heading and velocity mirrored."""
    x, y, z, w, length, h, yaw, vx, vy = boxes.unbind(-1)
    if flip_x:
        x, vx, yaw = -x, -vx, torch.pi - yaw
    if flip_y:
        y, vy, yaw = -y, -vy, -yaw
    return torch.stack([x, y, z, w, length, h, wrapped(yaw), vx, vy], dim=-1)
