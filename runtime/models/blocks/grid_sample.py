"""Bilinear sampling of a map at given pixels."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class GridSample(nn.Module):
    """Bilinear sampling at absolute pixel coordinates, zero outside the map.

    Convention:
        Points are (column, row); integers are pixel centres. A point between the outermost centres and one
        pixel beyond fades out linearly; from one pixel beyond on, the result is 0.

    Args:
        point_scale: pixels a code of the points, which are whole multiples of it.
    """

    def __init__(self, *, point_scale: float) -> None:
        super().__init__()
        self.point_scale = point_scale

    def forward(self, x: Tensor, points: Tensor) -> Tensor:
        """Map (B, C, h, w) and points (B, H, W, 2) in its pixels to (B, C, H, W)."""
        height, width = x.shape[-2:]
        # grid_sample's -1 and 1 are the outer edges of the border pixels when align_corners is False.
        normalised = torch.stack(
            [(2 * points[..., 0] + 1) / width - 1, (2 * points[..., 1] + 1) / height - 1], dim=-1
        )
        # Half precision holds features, but not coordinates: 1/256 of a pixel needs more than its 8 or 11
        # bits.
        source = x if x.dtype == points.dtype else x.to(points.dtype)
        sampled = F.grid_sample(
            source, normalised, mode="bilinear", padding_mode="zeros", align_corners=False
        )
        return sampled if sampled.dtype == x.dtype else sampled.to(x.dtype)

    def extra_repr(self) -> str:
        return f"point_scale={self.point_scale}"
