"""Random nodes of the operations that move codes unchanged."""

from __future__ import annotations

from math import prod

import numpy as np
from random_part import MAX_SIDE, Part, Tensors, is_map, pair

from runtime.hbir.graph import Attribute
from runtime.hbir.tensor_type import Shape


def max_pool(tensors: Tensors) -> Part | None:
    """Any window that fits."""
    rng, x = tensors.rng, tensors.any(is_map)
    if x is None:
        return None
    kernel = tuple(int(rng.integers(1, min(3, size) + 1)) for size in x.shape[2:])
    padding = tuple(int(rng.integers(taps // 2 + 1)) for taps in kernel)
    attributes: dict[str, Attribute] = {"kernel": kernel, "stride": pair(rng, 1, 2), "padding": padding}
    return Part("max_pool", [x], None, attributes)


def resize_nearest(tensors: Tensors) -> Part | None:
    """To any size."""
    x = tensors.any(is_map)
    return None if x is None else Part("resize_nearest", [x], None, {"size": pair(tensors.rng, 1, MAX_SIDE)})


def slice_(tensors: Tensors) -> Part | None:
    """A part of any axis but the first."""
    rng, x = tensors.rng, tensors.any(lambda tensor: len(tensor.shape) > 1)
    assert x is not None
    axis = int(rng.integers(1, len(x.shape)))
    start = int(rng.integers(x.shape[axis]))
    stop = int(rng.integers(start, x.shape[axis])) + 1
    return Part("slice", [x], None, {"axis": axis, "start": start, "stop": stop})


def reshape(tensors: Tensors) -> Part | None:
    """All in one axis, two axes joined, or an axis more."""
    rng, x = tensors.rng, tensors.any(lambda tensor: len(tensor.shape) > 1)
    assert x is not None
    sizes = x.shape[1:]
    shapes: list[Shape] = [(prod(sizes),), (prod(sizes), 1, 1)]
    if len(sizes) > 1:
        shapes.append((sizes[0] * sizes[1], *sizes[2:]))
    if len(sizes) < 4:
        shapes.append((1, *sizes))
    return Part("reshape", [x], None, {"shape": shapes[rng.integers(len(shapes))]})


def transpose(tensors: Tensors) -> Part | None:
    """Any order behind the first axis."""
    rng, x = tensors.rng, tensors.any(lambda tensor: len(tensor.shape) > 2)
    if x is None:
        return None
    order = rng.permutation(np.arange(1, len(x.shape))).tolist()
    return Part("transpose", [x], None, {"order": (0, *order)})


def flip(tensors: Tensors) -> Part | None:
    """Some axes."""
    rng, x = tensors.rng, tensors.any(lambda tensor: len(tensor.shape) > 1)
    assert x is not None
    axes = rng.permutation(np.arange(1, len(x.shape)))[: rng.integers(1, len(x.shape))]
    return Part("flip", [x], None, {"axes": tuple(axes.tolist())})
