"""Drafts with addresses: the instructions of a block."""

from __future__ import annotations

from collections.abc import Mapping

from runtime.bpu.compiler.buffers import Layout, View
from runtime.bpu.compiler.dependencies import dependencies
from runtime.bpu.compiler.placement import Placement
from runtime.bpu.program.instruction import Block, Instruction
from runtime.bpu.program.region import Region
from runtime.hbir.tensor_type import TensorType


def block_of(placement: Placement, ddr: Mapping[str, int]) -> Block:
    """The block of a section.

    Args:
        ddr: addresses of tensors in DDR, by name.
    """
    buffers = placement.buffers
    addresses = [
        placement.chip[number]
        if buffer.memory == "chip"
        else buffer.fixed
        if buffer.fixed is not None
        else ddr[buffer.name]
        for number, buffer in enumerate(buffers)
    ]

    def region(view: View) -> Region:
        return view.region(buffers[view.buffer].memory, addresses[view.buffer])

    waits = dependencies(placement.drafts, buffers, addresses)
    instructions = tuple(
        Instruction(
            unit=draft.unit,
            layer=draft.layer,
            inputs=tuple(region(view) for view in draft.inputs),
            output=region(draft.output),
            constants={name: region(view) for name, view in draft.constants.items()},
            window=dict(draft.window),
            after=after,
            cycles=draft.cycles,
        )
        for draft, after in zip(placement.drafts, waits, strict=True)
    )
    return Block(placement.section.turns, instructions)


def home_region(tensor: TensorType, address: int, align: int) -> Region:
    """A whole tensor in DDR."""
    layout = Layout.of(tensor.dtype, tensor.shape, align)
    return Region("ddr", address, layout.dtype, layout.shape, layout.strides)
