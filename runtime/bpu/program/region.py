"""Where codes lie: a box of values in one of the two memories."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from runtime.hbir.tensor_type import DType, Shape

Memory = Literal["ddr", "chip"]


@dataclass(frozen=True)
class Region:
    """Values at `address + turn * step + sum(index_i * strides_i)`, in bytes.

    Args:
        memory: outside of the chip, or on it.
        address: of the first value.
        dtype: of the values, little endian.
        shape: axes as the tensor has them, (maps, channels, rows, columns) for maps.
        strides: bytes from one value to the next along each axis.
        step: bytes that the address moves with every turn of the block that the instruction stands in.
    """

    memory: Memory
    address: int
    dtype: DType
    shape: Shape
    strides: tuple[int, ...]
    step: int = 0

    @property
    def item_bytes(self) -> int:
        return np.dtype(self.dtype).itemsize

    @property
    def values(self) -> int:
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Of the values themselves, without gaps."""
        return self.values * self.item_bytes

    @property
    def span(self) -> int:
        """Bytes from the first to the last, gaps among them."""
        return (
            sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
            + self.item_bytes
        )

    def at_turn(self, turn: int) -> Region:
        """Where it is at a turn of its block, counted from 0."""
        return replace(self, address=self.address + turn * self.step, step=0)

    def box(self, start: Shape, stop: Shape) -> Region:
        """The values from `start` up to `stop`, exclusive, along each axis.

        Raises:
            ValueError: they are not within the region.
        """
        if any(not 0 <= a < b <= n for a, b, n in zip(start, stop, self.shape, strict=True)):
            raise ValueError(f"from {start} to {stop} of {self.shape}")
        offset = sum(a * stride for a, stride in zip(start, self.strides, strict=True))
        shape = tuple(b - a for a, b in zip(start, stop, strict=True))
        return replace(self, address=self.address + offset, shape=shape)


def aligned(size: int, align: int) -> int:
    """The least multiple of `align` that is not less than `size`."""
    return -(-size // align) * align


def packed_strides(shape: Shape, item_bytes: int) -> tuple[int, ...]:
    """Of values without gaps, last axis fastest."""
    strides = [item_bytes]
    for size in reversed(shape[1:]):
        strides.append(strides[-1] * size)
    return tuple(reversed(strides))


def map_strides(shape: Shape, item_bytes: int, align: int) -> tuple[int, ...]:
    """Of maps (maps, channels, rows, columns) whose channels lie innermost: rows begin at multiples of
    `align` bytes."""
    _, channels, rows, columns = shape
    pixel = channels * item_bytes
    row = aligned(columns * pixel, align)
    return rows * row, item_bytes, row, pixel
