"""Gaussian peaks on heatmaps: how wide, and how they are drawn.

Law and Deng, "CornerNet: Detecting Objects as Paired Keypoints", 2018, section 3.2.
"""

from __future__ import annotations

import torch
from torch import Tensor


def gaussian_radius(height: Tensor, width: Tensor, min_overlap: float) -> Tensor:
    """Largest shift, in cells, of a box's corners that still leaves IoU >= `min_overlap` with the box itself.

    Both corners may move outwards, both inwards, or both the same way; each case is a quadratic in the shift
    r, with the IoU as stated on its line, and the tightest of the three counts. (The formula is CornerNet's;
    its published code divides all three roots by 2 instead of by 2a, which gives other radii.)

    Args:
        height, width: box sides in cells, any equal shape.
        min_overlap: the IoU, in (0, 1).
    """
    if not 0 < min_overlap < 1:
        raise ValueError(f"the overlap is {min_overlap}, expected a value between 0 and 1")
    total, area = height + width, height * width
    # (h - r)(w - r) / (2hw - (h - r)(w - r))
    same_way = _smaller_root(torch.ones_like(area), total, area * (1 - min_overlap) / (1 + min_overlap))
    # (h - 2r)(w - 2r) / hw
    inwards = _smaller_root(torch.full_like(area, 4.0), 2 * total, area * (1 - min_overlap))
    # hw / (h + 2r)(w + 2r): the root is written so that nothing cancels
    constant = area * (1 - min_overlap)
    slope = 2 * min_overlap * total
    outwards = (
        2 * constant / (slope + torch.sqrt(slope.square() + 16 * min_overlap * constant)).clamp(min=1e-12)
    )
    return torch.minimum(torch.minimum(same_way, inwards), outwards)


def _smaller_root(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Smaller root of a r^2 - b r + c = 0 for positive a, b, c, in the form that does not cancel."""
    return 2 * c / (b + torch.sqrt((b * b - 4 * a * c).clamp(min=0))).clamp(min=1e-12)


def draw_gaussians(heatmap: Tensor, channel: Tensor, row: Tensor, column: Tensor, radius: Tensor) -> None:
    """Merges peaks into the heatmap in place; where two overlap, the larger value stays.

    The peak is exp(-d^2 / (2 sigma^2)) with sigma = (2 radius + 1) / 6, cut to the square of side
    2 radius + 1; its centre is exactly 1.

    Args:
        heatmap: (P, H, W) float, contiguous.
        channel, row, column: (N,) int64, where each peak goes.
        radius: (N,) int64, cells.
    """
    if channel.numel() == 0:
        return
    _, height, width = heatmap.shape
    reach = int(radius.max())
    offset = torch.arange(-reach, reach + 1, device=heatmap.device)
    sigma = (2 * radius + 1).to(heatmap.dtype) / 6
    falloff = torch.exp(
        -offset.to(heatmap.dtype).square() / (2 * sigma.square()).unsqueeze(1)
    )  # (N, 2 reach + 1)
    falloff = falloff * (offset.abs() <= radius.unsqueeze(1))
    rows, columns = row.unsqueeze(1) + offset, column.unsqueeze(1) + offset
    falloff_rows = falloff * ((rows >= 0) & (rows < height))
    falloff_columns = falloff * ((columns >= 0) & (columns < width))
    values = falloff_rows.unsqueeze(2) * falloff_columns.unsqueeze(1)
    # Cells off the map carry value 0; clamped, they land on some cell of the map, where 0 changes nothing.
    cell = rows.clamp(0, height - 1).unsqueeze(2) * width + columns.clamp(0, width - 1).unsqueeze(1)
    flat = channel.view(-1, 1, 1) * (height * width) + cell
    heatmap.view(-1).scatter_reduce_(0, flat.view(-1), values.view(-1), reduce="amax")
