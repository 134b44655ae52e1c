"""In which order solids are painted so that the nearer one covers the farther one."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_TOLERANCE = 0.02


def painter_order(footprints: Array, eye: Array) -> list[int]:
    """Back-to-front order of upright solids on a plane.

    Of two convex footprints that do not overlap, one edge of one of them separates both. The solid on the
    eye's side of that line can hide the other, never the reverse. The order is a topological sort of these
    relations, farthest first where they leave a choice; where solids overlap, their distance decides.

    Args:
        footprints: (N, 4, 2), corners counter-clockwise, metres.
        eye: (2,), the camera seen from above.

    Returns:
        Indices, farthest first.
    """
    count = len(footprints)
    if count < 2:
        return list(range(count))
    edges = np.roll(footprints, -1, axis=1) - footprints
    normals = np.stack([edges[..., 1], -edges[..., 0]], axis=-1)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    offsets = np.sum(normals * footprints, axis=-1)
    corners = footprints.reshape(-1, 2)
    # beyond[i, e, j]: solid j lies wholly outside edge e of solid i.
    heights = (normals.reshape(-1, 2) @ corners.T).reshape(count, 4, count, 4) - offsets[:, :, None, None]
    beyond = heights.min(axis=-1) > -_TOLERANCE
    eye_beyond = normals @ eye - offsets > 0
    # hides_not[i, j]: solid i cannot hide solid j.
    hides_not = (beyond & eye_beyond[:, :, None]).any(axis=1)
    hides_not |= (beyond & ~eye_beyond[:, :, None]).any(axis=1).T
    before = hides_not & ~hides_not.T  # i must be painted before j
    distance = np.linalg.norm(footprints.mean(axis=1) - eye, axis=1)
    waiting_for = before.sum(axis=0).tolist()
    followers: list[list[int]] = [[] for _ in range(count)]
    for i, j in zip(*np.nonzero(before), strict=True):
        followers[i].append(int(j))
    by_distance = np.argsort(-distance, kind="stable").tolist()
    free = [(-float(distance[i]), i) for i in range(count) if waiting_for[i] == 0]
    heapq.heapify(free)
    done = [False] * count
    order: list[int] = []
    while len(order) < count:
        # Solids that hide each other in a circle leave nothing free: then the farthest one breaks it.
        pick = heapq.heappop(free)[1] if free else next(i for i in by_distance if not done[i])
        if done[pick]:
            continue
        done[pick] = True
        order.append(pick)
        for j in followers[pick]:
            waiting_for[j] -= 1
            if waiting_for[j] == 0:
                heapq.heappush(free, (-float(distance[j]), j))
    return order
