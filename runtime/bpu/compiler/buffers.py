"""Instructions before anything has an address: buffers, views of them, drafts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from runtime.bpu.compiler.box import Box
from runtime.bpu.program.instruction import Unit
from runtime.bpu.program.region import Memory, Region, map_strides, packed_strides
from runtime.hbir.tensor_type import DType, Shape


@dataclass(frozen=True)
class Layout:
    """How values of a box lie from some address on: maps with aligned rows, other tensors packed.

    Args:
        dtype: of the values.
        shape: of the box.
        strides: bytes from one value to the next along each axis.
        size: bytes all in all.
    """

    dtype: DType
    shape: Shape
    strides: tuple[int, ...]
    size: int

    @classmethod
    def of(cls, dtype: DType, shape: Shape, align: int) -> Layout:
        """Rows of maps at multiples of `align` bytes."""
        item = np.dtype(dtype).itemsize
        if len(shape) != 4:
            return cls(dtype, shape, packed_strides(shape, item), math.prod(shape) * item)
        strides = map_strides(shape, item, align)
        return cls(dtype, shape, strides, shape[0] * strides[0])


@dataclass(frozen=True)
class Buffer:
    """Room in one of the memories, from its first to its last access.

    Args:
        name: of the tensor, or of the layer whose constants it holds.
        memory: where.
        size: in bytes.
        fixed: its address, None where it is chosen later.
    """

    name: str
    memory: Memory
    size: int
    fixed: int | None = None

    @property
    def is_placed(self) -> bool:
        """Whether its address on the chip is chosen among those of others."""
        return self.memory == "chip" and self.fixed is None


@dataclass(frozen=True)
class View:
    """Values in a buffer.

    Args:
        buffer: number of the buffer.
        offset: bytes from its start to the first value.
        dtype: of the values.
        shape: of the box.
        strides: see `Region`.
        step: see `Region`.
        box: of what the buffer holds, in its own coordinates; None: all of it.
    """

    buffer: int
    offset: int
    dtype: DType
    shape: Shape
    strides: tuple[int, ...]
    step: int = 0
    box: Box | None = None

    @property
    def bytes(self) -> int:
        """Of the values, without gaps."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    def region(self, memory: Memory, address: int) -> Region:
        """Where it is when its buffer has an address."""
        return Region(memory, address + self.offset, self.dtype, self.shape, self.strides, self.step)

    def meets(self, other: View) -> bool:
        """Whether two views of one buffer have a value in common."""
        return self.box is None or other.box is None or self.box.meets(other.box)


def view_of(buffer: int, layout: Layout, box: Box, *, step: int = 0) -> View:
    """A box of what a buffer holds, in its own coordinates."""
    offset = sum(start * stride for start, stride in zip(box.start, layout.strides, strict=True))
    return View(buffer, offset, layout.dtype, box.shape, layout.strides, step, box)


@dataclass(frozen=True)
class Draft:
    """An instruction without addresses: see `Instruction`.

    Args:
        slot: number of the compute instruction that it belongs to, counted in the block.
        once: whether only the first turn has it.
    """

    unit: Unit
    layer: int
    slot: int
    inputs: tuple[View, ...]
    output: View
    cycles: int
    constants: Mapping[str, View] = field(default_factory=dict)
    window: Mapping[str, int] = field(default_factory=dict)
    once: bool = False

    @property
    def reads(self) -> tuple[View, ...]:
        """Everything that it reads."""
        return (*self.inputs, *self.constants.values())
