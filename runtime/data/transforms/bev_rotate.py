"""Turning the bird's-eye view about the car."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from runtime.data.transforms.bev_labels import keep_inside, with_labels, wrapped
from runtime.errors import RunError
from runtime.geometry.bev_grid import BevGrid


class BevRotate:
    """Turns BEV features together with boxes and map labels, by an angle drawn for each sample of a batch.

    Features are sampled bilinearly, labels by the nearest cell. Where the turned scene shows what was outside
    the grid before, features are 0 and map labels `ignore_index`; boxes that leave the range are dropped.

    Args:
        bev_size: (half_y, half_x, metres_per_cell) of the features' range.
        map_size: the same of the map labels.
        rot: (lowest, highest) angle in radians, counter-clockwise about z: the scene turns, not the car.
        ignore_index: map label where nothing is known.

    Raises:
        RunError: `rot` is not an ordered pair.
    """

    def __init__(
        self,
        *,
        bev_size: Sequence[float],
        map_size: Sequence[float],
        rot: Sequence[float] = (-0.3925, 0.3925),
        ignore_index: int = -1,
    ) -> None:
        if len(rot) != 2 or not rot[0] <= rot[1]:
            raise RunError(f"`BevRotate`: `rot` must be (lowest, highest) in radians, got {rot}")
        self.bev_grid = BevGrid.from_size(bev_size)
        self.map_grid = BevGrid.from_size(map_size)
        self.rot = float(rot[0]), float(rot[1])
        self.ignore_index = ignore_index

    def __call__(self, feat: torch.Tensor, batch: dict[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
        """One draw a sample from torch's generator; `batch` is left as it is.

        Args:
            feat: (B, C, H, W) over the BEV range, rows along y, columns along x.
            batch: of `collate_nuscenes`.
        """
        low, high = self.rot
        return self.rotate(feat, batch, low + (high - low) * torch.rand(feat.shape[0], dtype=torch.float64))

    def rotate(
        self, feat: torch.Tensor, batch: dict[str, Any], angles: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, Any]]:
        """Turns sample b by `angles[b]` radians, float64 (B,)."""
        moved = _resample(feat, angles, self.bev_grid, "bilinear")
        turned = [
            keep_inside(_turned(boxes, float(angle)), labels, self.bev_grid)
            for boxes, labels, angle in zip(batch["gt_boxes"], batch["gt_labels"], angles, strict=True)
        ]
        seg = batch["gt_seg"]
        # Outside the grid the sampler gives 0: labels are shifted so that 0 means `ignore_index`.
        shifted = (seg - self.ignore_index).unsqueeze(1).to(torch.float32)
        labels = _resample(shifted, angles, self.map_grid, "nearest").squeeze(1).round().to(seg.dtype)
        return moved, with_labels(
            batch, [boxes for boxes, _ in turned], [kept for _, kept in turned], labels + self.ignore_index
        )


def _resample(maps: torch.Tensor, angles: torch.Tensor, grid: BevGrid, mode: str) -> torch.Tensor:
    """Maps (B, C, H, W) over the grid's range, of any resolution, turned by angles (B,); 0 from outside."""
    cos, sin = torch.cos(angles), torch.sin(angles)
    zero = torch.zeros_like(cos)
    # A point p of the result shows what was at R(-angle) p. In the sampler's coordinates x / half_x, y /
    # half_y, in which -1 and 1 are the outer edges of the grid, the ratio of the sides enters.
    ratio = grid.half_y / grid.half_x
    back = torch.stack(
        [torch.stack([cos, sin * ratio, zero], dim=-1), torch.stack([-sin / ratio, cos, zero], dim=-1)], dim=1
    )
    # Half-precision coordinates would be off by cells: features of any type are sampled in float32.
    wide = maps if maps.dtype == torch.float64 else maps.float()
    points = functional.affine_grid(back, list(maps.shape), align_corners=False).to(maps.device, wide.dtype)
    moved = functional.grid_sample(wide, points, mode=mode, padding_mode="zeros", align_corners=False)
    return moved.to(maps.dtype)


def _turned(boxes: torch.Tensor, angle: float) -> torch.Tensor:
    """Boxes (N, 9) with centre, heading and velocity turned by `angle` radians about the car."""
    x, y, z, w, length, h, yaw, vx, vy = boxes.unbind(-1)
    cos, sin = torch.cos(torch.tensor(angle)).item(), torch.sin(torch.tensor(angle)).item()
    return torch.stack(
        [
            x * cos - y * sin,
            x * sin + y * cos,
            z,
            w,
            length,
            h,
            wrapped(yaw + angle),
            vx * cos - vy * sin,
            vx * sin + vy * cos,
        ],
        dim=-1,
    )
