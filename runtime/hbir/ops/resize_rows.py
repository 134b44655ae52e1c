"""Some rows of a resized map, from some rows of the map: how a resize is done in parts."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from runtime.hbir.graph import Node
from runtime.hbir.ops.operation import Kernel, Types, code_bounds, refuse
from runtime.quantization.arithmetic import resize as arithmetic


@lru_cache(maxsize=4096)
def source_rows(op: str, height: int, new_height: int, first: int, last: int) -> tuple[int, int]:
    """The rows of a map, from the first up to the last, exclusive, between which some of a resized one lie.

    Args:
        op: `resize_bilinear` or `resize_nearest`.
        height: of the map.
        new_height: of the whole resized one.
        first: row of the resized one.
        last: row behind its last one.
    """
    if op == "resize_nearest":
        index = arithmetic.nearest_index(height, new_height)[first:last]
        return int(index.min()), int(index.max()) + 1
    above, below, _, _ = arithmetic.axis_weights(height, new_height)
    return int(above[first:last].min()), int(below[first:last].max()) + 1


def resize_rows(
    node: Node, types: Types, *, height: int, source_row: int, first_row: int, rows: int
) -> Kernel:
    """A function of float32 codes (B, C, h, w) that gives those of `rows` rows of the result.

    Args:
        node: a `resize_bilinear` or `resize_nearest`, of whole maps.
        types: of the rows that are given.
        height: of the whole map.
        source_row: which row of the map the first given one is.
        first_row: which row of the result the first one wanted is.

    Raises:
        RunError: no such rows of the result, or they lie between rows that are not given.
    """
    size, given = node.pair("size"), types[0].shape[2]
    if not 0 <= first_row < first_row + rows <= size[0]:
        raise refuse(node, f"has {size[0]} rows, not rows {first_row} to {first_row + rows - 1}")
    wanted = slice(first_row, first_row + rows)
    if node.op == "resize_nearest":
        index = arithmetic.nearest_index(height, size[0])[wanted] - source_row
        _need_rows(node, int(index.min()), int(index.max()), given, source_row)
        columns = torch.from_numpy(arithmetic.nearest_index(types[0].shape[3], size[1]))
        taken = torch.from_numpy(index)
        return lambda x: x[:, :, taken][..., columns]
    index0, index1, weight0, weight1 = (part[wanted] for part in arithmetic.axis_weights(height, size[0]))
    vertical = (index0 - source_row, index1 - source_row, weight0, weight1)
    _need_rows(node, int(vertical[0].min()), int(vertical[1].max()), given, source_row)
    horizontal = arithmetic.axis_weights(types[0].shape[3], size[1])
    (lo, hi), m, k = code_bounds(node), node.integer("multiplier"), node.integer("shift")

    def between(x: Tensor) -> Tensor:
        return arithmetic.between_pixels(x, vertical, horizontal, m, k, bits=types[0].bits, lo=lo, hi=hi)

    return between


def _need_rows(node: Node, first: int, last: int, given: int, source_row: int) -> None:
    if first < 0 or last >= given:
        raise refuse(
            node,
            f"lies between rows {first + source_row} to {last + source_row}, "
            f"rows {source_row} to {source_row + given - 1} are given",
        )
