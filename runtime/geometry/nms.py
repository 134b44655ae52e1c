"""Non-maximum suppression of boxes seen from above: of boxes too close to each other the best-scored stays.

Both kinds walk through the boxes from the highest score down (of equal scores, the earlier first); a box
stays unless one that stayed before it suppresses it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from runtime.geometry.rotated_iou import paired_rotated_iou, squared_distances, touching_pairs


def rotate_nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Keeps boxes whose BEV IoU with every better kept box is at most `iou_threshold`.

    Args:
        boxes: (N, >= 7) x, y, z, w, l, h, yaw, metres.
        scores: (N,).
        iou_threshold: in [0, 1].

    Returns:
        indices (K,) int64 of the kept boxes, best first.
    """
    order = torch.argsort(scores, descending=True, stable=True)
    ranked = boxes[order]
    better, worse = touching_pairs(ranked, ranked)
    once = better < worse
    better, worse = better[once], worse[once]
    overlapping = paired_rotated_iou(ranked[better], ranked[worse]) > iou_threshold
    return order[_greedy(len(ranked), better[overlapping], worse[overlapping])]


def circle_nms(boxes: Tensor, scores: Tensor, min_radius: float) -> Tensor:
    """Keeps boxes whose squared centre distance to every better kept box exceeds `min_radius`.

    The name is CenterPoint's; the value is an area in square metres (4 stands for a distance of 2 m).

    Args:
        boxes: (N, >= 2) x, y, ..., metres.
        scores: (N,).
        min_radius: square metres.

    Returns:
        indices (K,) int64 of the kept boxes, best first.
    """
    order = torch.argsort(scores, descending=True, stable=True)
    ranked = boxes[order]
    close = squared_distances(ranked, ranked) <= min_radius
    better, worse = torch.nonzero(torch.triu(close, diagonal=1), as_tuple=True)
    return order[_greedy(len(ranked), better, worse)]


def _greedy(count: int, better: Tensor, worse: Tensor) -> Tensor:
    """Ranks (K,) that stay, where rank `worse[i]` goes if the smaller rank `better[i]` stays."""
    stays = [True] * count
    # By rising better rank: when a rank is asked about, all that could suppress it have been decided.
    order = torch.argsort(better, stable=True)
    for strong, weak in zip(better[order].tolist(), worse[order].tolist(), strict=True):
        if stays[strong]:
            stays[weak] = False
    return torch.tensor(
        [rank for rank in range(count) if stays[rank]], dtype=torch.int64, device=better.device
    )
