"""Drafts with addresses: the instructions of a section's blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runtime.bpu.compiler.buffers import Buffer, Draft, Layout, View
from runtime.bpu.compiler.dependencies import dependencies
from runtime.bpu.compiler.placement import Placement
from runtime.bpu.program.instruction import Block, Instruction
from runtime.bpu.program.region import Region
from runtime.hbir.tensor_type import TensorType


def blocks_of(placement: Placement, ddr: Mapping[str, int]) -> tuple[Block, ...]:
    """The block of a section; its first turn is one of its own if it loads what stays for the others.

    Args:
        ddr: addresses of tensors in DDR, by name.
    """
    buffers = placement.buffers
    addresses = [
        buffer.fixed
        if buffer.fixed is not None
        else placement.chip[number]
        if buffer.memory == "chip"
        else ddr[buffer.name]
        for number, buffer in enumerate(buffers)
    ]
    drafts, turns = placement.drafts, placement.section.turns
    first = _instructions(drafts, buffers, addresses, turn=0)
    if not placement.kept_bytes:
        return (Block(turns, first),)
    others = [draft for draft in drafts if not draft.once]
    return Block(1, first), Block(turns - 1, _instructions(others, buffers, addresses, turn=1))


def _instructions(
    drafts: Sequence[Draft], buffers: Sequence[Buffer], addresses: Sequence[int], *, turn: int
) -> tuple[Instruction, ...]:
    """In the order of the drafts, with what each waits for, where they are at a turn of their section."""

    def region(view: View) -> Region:
        return view.region(buffers[view.buffer].memory, addresses[view.buffer] + turn * view.step)

    waits = dependencies(drafts, buffers, addresses)
    return tuple(
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
        for draft, after in zip(drafts, waits, strict=True)
    )


def home_region(tensor: TensorType, address: int, align: int) -> Region:
    """A whole tensor in DDR."""
    layout = Layout.of(tensor.dtype, tensor.shape, align)
    return Region("ddr", address, layout.dtype, layout.shape, layout.strides)
