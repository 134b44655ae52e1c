"""Drawing map lines into a BEV label grid, exactly.

A cell belongs to a line when its centre is at most half the line width away from it. The points that near to
one straight piece form a capsule (a rectangle with round ends), which is convex: each grid row cuts it in one
interval. All intervals of all pieces are found in closed form and filled by a running sum, so that widths
need not be whole cells, nothing is rounded to pixels, and the cost does not grow with the width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from runtime.errors import RunError
from runtime.geometry.bev_grid import BevGrid
from runtime.geometry.class_names import MAP_CLASSES

Array = NDArray[np.float64]

# A centre exactly on the rim counts, whatever way the last bit of the square root went. In cells.
_RIM = 1e-7


def check_line_width(line_width: float, grid: BevGrid) -> None:
    """Raises RunError where lines would have gaps because they slip between cell centres."""
    if not line_width >= grid.resolution:
        raise RunError(
            f"`line_width` is {line_width} m, thinner than one map cell of {grid.resolution} m: "
            "such lines have gaps",
            hint="give a wider line or a finer `map_size`",
        )


def rasterize_map(
    lines: Mapping[str, Sequence[Array]], grid: BevGrid, line_width: float
) -> NDArray[np.int64]:
    """Map labels (h, w), indices into MAP_CLASSES: boundary over crossing over divider, 0 where there is no
    line.

    Args:
        lines: by class name, polylines (M, 2) in the ego frame, metres.
        grid: the map grid.
        line_width: full width in metres.
    """
    labels = np.zeros(grid.shape, dtype=np.int64)
    for label, name in enumerate(MAP_CLASSES):
        if label > 0:
            labels[line_mask(lines.get(name, ()), grid, line_width)] = label
    return labels


def line_mask(lines: Sequence[Array], grid: BevGrid, line_width: float) -> NDArray[np.bool_]:
    """Cells (h, w) whose centre is at most `line_width` / 2 metres from one of the polylines (M, 2)."""
    height, width = grid.shape
    radius = line_width / 2 / grid.resolution + _RIM
    start, end = _segments(lines, grid, radius)
    if len(start) == 0:
        return np.zeros((height, width), dtype=bool)

    # One entry for each (segment, row) pair that can meet.
    first = np.clip(np.ceil(np.minimum(start[:, 1], end[:, 1]) - radius), 0, height).astype(np.int64)
    last = np.clip(np.floor(np.maximum(start[:, 1], end[:, 1]) + radius), -1, height - 1).astype(np.int64)
    count = np.maximum(last - first + 1, 0)
    segment = np.repeat(np.arange(len(start)), count)
    row = np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count) + first[segment]

    low, high = _capsule_chords(start[segment], end[segment], row.astype(np.float64), radius)
    left = np.clip(np.ceil(low), 0, width)
    right = np.clip(np.floor(high) + 1, 0, width)
    filled = right > left  # False for empty chords too, which are (inf, -inf)
    row, left, right = row[filled], left[filled].astype(np.int64), right[filled].astype(np.int64)

    pitch = width + 1
    steps = np.bincount(row * pitch + left, minlength=height * pitch) - np.bincount(
        row * pitch + right, minlength=height * pitch
    )
    return np.cumsum(steps.reshape(height, pitch), axis=1)[:, :width] > 0


def _segments(lines: Sequence[Array], grid: BevGrid, radius: float) -> tuple[Array, Array]:
    """Straight pieces near the grid as start and end (S, 2), in cells [column, row]."""
    lengths = np.array([len(line) for line in lines], dtype=np.int64)
    if len(lengths) == 0 or lengths.sum() == 0:
        return np.zeros((0, 2)), np.zeros((0, 2))
    cells = grid.metres_to_cells(np.concatenate(list(lines)))
    keep = np.ones(len(cells), dtype=bool)
    keep[np.cumsum(lengths)[lengths > 0] - 1] = False  # the last point of a line starts no piece
    at = np.flatnonzero(keep)
    start, end = cells[at], cells[at + 1]
    height, width = grid.shape
    upper = np.array([width - 1, height - 1]) + radius
    near = np.all((np.maximum(start, end) >= -radius) & (np.minimum(start, end) <= upper), axis=1)
    return start[near], end[near]


def _capsule_chords(start: Array, end: Array, row: Array, radius: float) -> tuple[Array, Array]:
    """Where the horizontal line v = row cuts the capsule around a segment: (low, high) in columns, (P,) each.

    Args:
        start, end: (P, 2) in cells.
        row: (P,).
        radius: in cells.
    """
    low = np.full(len(row), np.inf)
    high = np.full(len(row), -np.inf)
    for point in (start, end):
        under_root = radius**2 - (row - point[:, 1]) ** 2
        half = np.sqrt(np.maximum(under_root, 0.0))
        hit = under_root >= 0
        low = np.where(hit, np.minimum(low, point[:, 0] - half), low)
        high = np.where(hit, np.maximum(high, point[:, 0] + half), high)

    # The rectangle: along the segment between 0 and its length, across it between -radius and radius.
    along = end - start
    length = np.hypot(along[:, 0], along[:, 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = along / length[:, None]
        offset = row - start[:, 1]
        a_low, a_high = _between(unit[:, 0], offset * unit[:, 1], np.zeros_like(length), length)
        c_low, c_high = _between(-unit[:, 1], offset * unit[:, 0], np.full_like(length, -radius), radius)
    box_low = start[:, 0] + np.maximum(a_low, c_low)
    box_high = start[:, 0] + np.minimum(a_high, c_high)
    hit = (length > 0) & (box_low <= box_high)
    return np.where(hit, np.minimum(low, box_low), low), np.where(hit, np.maximum(high, box_high), high)


def _between(slope: Array, offset: Array, low: Array, high: Array | float) -> tuple[Array, Array]:
    """The t with low <= slope * t + offset <= high, as (first, last); (inf, -inf) where there is none."""
    first, last = (low - offset) / slope, (high - offset) / slope
    first, last = np.minimum(first, last), np.maximum(first, last)
    flat = slope == 0
    holds = flat & (offset >= low) & (offset <= high)
    first = np.where(flat, np.where(holds, -np.inf, np.inf), first)
    last = np.where(flat, np.where(holds, np.inf, -np.inf), last)
    return first, last
