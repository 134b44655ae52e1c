"""Shapes of any rank as the hardware model takes them: of two to four dimensions."""

from __future__ import annotations

import math

from runtime.bpu.operation import Shape


def map_shape(shape: Shape) -> Shape:
    """Leading dimensions beyond four are samples; a vector is one sample."""
    if len(shape) > 4:
        return (math.prod(shape[:-3]), *shape[-3:])
    return (1,) * (2 - len(shape)) + shape


def image_shape(shape: Shape) -> Shape:
    """(B, C, L) as a map of one row, (B, C, 1, L)."""
    return (*shape[:2], 1, shape[2]) if len(shape) == 3 else map_shape(shape)


def layer_shape(shape: Shape) -> Shape:
    """What a linear layer reads, channels last, as the (B, C, H, W) or (B, C) of a convolution of 1x1."""
    if len(shape) <= 2:
        return map_shape(shape)
    if len(shape) == 4:
        return (shape[0], shape[3], *shape[1:3])
    return (shape[0], shape[-1], math.prod(shape[1:-1]), 1)
