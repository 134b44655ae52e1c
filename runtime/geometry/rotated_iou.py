"""Overlap of rotated boxes seen from above, by exact polygon clipping.

Convention:
    Boxes are rows of at least seven numbers x, y, z, w, l, h, yaw (see `boxes.py`); only x, y, w, l and yaw
    count. Everything runs in float64.
"""

from __future__ import annotations

import torch
from torch import Tensor

_BLOCK = 65536
"""Pairs clipped at a time: bounds the memory at some 50 MB."""


def ground_polygons(boxes: Tensor) -> Tensor:
    """Corners (N, 4, 2) float64 of boxes (N, >= 7), counter-clockwise."""
    boxes = boxes.double()
    along = boxes.new_tensor([0.5, -0.5, -0.5, 0.5]) * boxes[:, 4:5]
    across = boxes.new_tensor([0.5, 0.5, -0.5, -0.5]) * boxes[:, 3:4]
    cos, sin = boxes[:, 6:7].cos(), boxes[:, 6:7].sin()
    return torch.stack(
        [boxes[:, 0:1] + along * cos - across * sin, boxes[:, 1:2] + along * sin + across * cos], dim=-1
    )


def polygon_area(polygons: Tensor) -> Tensor:
    """Area (...,) of simple polygons (..., K, 2), positive when counter-clockwise (the shoelace formula)."""
    centred = polygons - polygons[..., :1, :]
    return 0.5 * _cross(centred, centred.roll(-1, dims=-2)).sum(-1)


def paired_intersection(a: Tensor, b: Tensor) -> Tensor:
    """Area (P,) in which box i of `a` (P, >= 7) and box i of `b` (P, >= 7) overlap, in square metres.

    The corners of `a` are cut by the four edges of `b` in turn (Sutherland and Hodgman, "Reentrant polygon
    clipping", 1974), all pairs at once. Each cut changes the area continuously, so that corners on an edge
    and edges on one line need no special case.
    """
    blocks = zip(ground_polygons(a).split(_BLOCK), ground_polygons(b).split(_BLOCK), strict=True)
    areas = [_clipped_area(subject, window) for subject, window in blocks]
    return torch.cat(areas) if areas else a.new_zeros(0, dtype=torch.float64)


def _clipped_area(subject: Tensor, window: Tensor) -> Tensor:
    # Coordinates near zero: the area of a box far out would lose digits otherwise.
    origin = window.mean(dim=1, keepdim=True)
    subject, window = subject - origin, window - origin
    for edge in range(4):
        subject = _cut(subject, window[:, edge], window[:, (edge + 1) % 4])
    return polygon_area(subject).clamp(min=0)


def _cut(polygon: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """The part of convex polygons (P, K, 2) left of the lines from `start` to `end` (P, 2): (P, K + 1, 2).

    A polygon with fewer corners repeats its last one; one that is cut away altogether repeats one point.
    """
    following = polygon.roll(-1, dims=1)
    direction = (end - start).unsqueeze(1)
    side = _cross(direction, polygon - start.unsqueeze(1))
    side_following = side.roll(-1, dims=1)
    inside, inside_following = side >= 0, side_following >= 0
    crosses = inside != inside_following
    fraction = side / torch.where(crosses, side - side_following, 1.0)
    crossing = polygon + fraction.unsqueeze(-1) * (following - polygon)

    # Walking round the polygon, an edge yields its first corner if that is inside, then its crossing if there
    # is one.
    points = torch.stack([polygon, crossing], dim=2).flatten(1, 2)
    kept = torch.stack([inside, crosses], dim=2).flatten(1, 2)
    corners = polygon.shape[1] + 1
    order = torch.argsort((~kept).to(torch.uint8), dim=1, stable=True)[:, :corners]
    last = (kept.sum(1, keepdim=True) - 1).clamp(0, corners - 1)
    order = torch.where(torch.arange(corners, device=order.device) <= last, order, order.gather(1, last))
    return points.gather(1, order.unsqueeze(-1).expand(-1, -1, 2))


def paired_rotated_iou(a: Tensor, b: Tensor) -> Tensor:
    """BEV intersection over union (P,) float64 of box i of `a` and box i of `b`; 0 where both are empty."""
    overlap = paired_intersection(a, b)
    union = a[:, 3].double() * a[:, 4].double() + b[:, 3].double() * b[:, 4].double() - overlap
    smallest = torch.finfo(torch.float64).tiny
    return torch.where(union > 0, overlap / union.clamp(min=smallest), 0.0).clamp(max=1.0)


def touching_pairs(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Indices (P,), (P,) of the pairs whose circumscribed circles meet: no other pair can overlap."""
    radius_a, radius_b = (0.5 * torch.hypot(boxes[:, 3].double(), boxes[:, 4].double()) for boxes in (a, b))
    near = squared_distances(a, b) <= (radius_a[:, None] + radius_b[None, :]).square()
    first, second = torch.nonzero(near, as_tuple=True)
    return first, second


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """Squared centre distances (N, M) float64 seen from above of boxes `a` (N, >= 2) and `b` (M, >= 2)."""
    dx, dy = (a[:, None, axis].double() - b[None, :, axis].double() for axis in (0, 1))
    return dx * dx + dy * dy


def rotated_iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union (N, M) float64 of boxes `a` (N, >= 7) and `b` (M, >= 7), seen from above.

    Raises:
        ValueError: the boxes are not of that shape.
    """
    for boxes in (a, b):
        if boxes.ndim != 2 or boxes.shape[1] < 7:
            raise ValueError(f"expected boxes (N, >= 7), got shape {tuple(boxes.shape)}")
    iou = torch.zeros(len(a), len(b), dtype=torch.float64, device=a.device)
    first, second = touching_pairs(a, b)
    iou[first, second] = paired_rotated_iou(a[first], b[second])
    return iou


def _cross(a: Tensor, b: Tensor) -> Tensor:
    """z of the cross product of planar vectors (..., 2)."""
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
