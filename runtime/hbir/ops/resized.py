"""What both kinds of resizing have in common."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from runtime.hbir.graph import Node
from runtime.hbir.ops.operation import Types, refuse
from runtime.hbir.tensor_type import Shape

_MAX_SIDE = 2**15


def resized(node: Node, inputs: Types) -> Shape:
    """The shape of maps of the attribute `size`.

    Raises:
        RunError: a side that no map has.
    """
    height, width = node.pair("size")
    if not (1 <= height <= _MAX_SIDE and 1 <= width <= _MAX_SIDE):
        raise refuse(node, f"resizes to {height} x {width} pixels (at most {_MAX_SIDE} a side)")
    return (*inputs[0].shape[:2], height, width)


def sizes_for_test(rng: np.random.Generator) -> Iterator[tuple[Shape, tuple[int, int]]]:
    """Maps, and the sides that they get: twice as large, odd, smaller, from one pixel, and any."""
    yield (2, 3, 4, 5), (8, 10)
    yield (1, 2, 3, 7), (7, 11)
    yield (1, 2, 9, 8), (4, 3)
    yield (1, 2, 1, 1), (5, 6)
    for _ in range(3):
        height, width, new_height, new_width = rng.integers(1, 24, size=4).tolist()
        yield (1, 2, height, width), (new_height, new_width)
