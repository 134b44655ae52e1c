"""One instruction: a transfer, or a part of a layer on one unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from runtime.bpu.program.region import Region

Unit = Literal["LOAD", "STORE", "TAE", "VAE", "AAE", "DTE"]
UNITS: tuple[Unit, ...] = ("LOAD", "STORE", "TAE", "VAE", "AAE", "DTE")
"""`LOAD` moves from DDR to the chip, `STORE` back; the others compute from chip to chip."""

Window = Literal["pad_top", "pad_bottom", "first_row", "source_row"]


@dataclass(frozen=True)
class Instruction:
    """What one unit does in one go.

    A unit takes its instructions in the order in which they stand, one at a time; different units wait for
    each other only where `after` says so.

    `LOAD` and `STORE` copy their one input to the output, of the same type and shape. A compute instruction
    makes a part of its layer's result: some rows, some channels, or both.

    Args:
        unit: that runs it.
        layer: position of the layer that it belongs to; a transfer belongs to the layer that needs it.
        inputs: tensors, or parts of them, in the order of the layer's inputs.
        output: what it writes.
        constants: those of the layer that it computes with, or the part for its output channels, on the chip.
        window: what a part must know of its place:
            `pad_top`, `pad_bottom`: rows of padding beside the given ones, for `conv` and `max_pool`, in
            place of the layer's own;
            `first_row`: of the output, for resizing: which row of the layer's result the first one is;
            `source_row`: of the input, for resizing: which row of the layer's input the first one is.
        after: earlier instructions of the same block that must have ended before it starts.
        cycles: how long the unit is busy.
    """

    unit: Unit
    layer: int
    inputs: tuple[Region, ...]
    output: Region
    constants: Mapping[str, Region] = field(default_factory=dict)
    window: Mapping[str, int] = field(default_factory=dict)
    after: tuple[int, ...] = ()
    cycles: int = 1

    @property
    def regions(self) -> tuple[Region, ...]:
        """Everything that it reads."""
        return (*self.inputs, *self.constants.values())

    @property
    def moves(self) -> bool:
        """Whether it is a transfer."""
        return self.unit in ("LOAD", "STORE")


@dataclass(frozen=True)
class Block:
    """Instructions that run `turns` times; a turn begins when the one before has ended, on all units."""

    turns: int
    instructions: tuple[Instruction, ...]
