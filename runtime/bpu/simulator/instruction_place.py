"""How messages name an instruction."""

from __future__ import annotations

from runtime.bpu.program.program import Program


def instruction_place(program: Program, block: int, position: int) -> str:
    """`instruction 7 of block 0 (TAE, layer `head.conv`)`."""
    instruction = program.blocks[block].instructions[position]
    known = 0 <= instruction.layer < len(program.layers)
    layer = f"`{program.layers[instruction.layer].name}`" if known else str(instruction.layer)
    return f"instruction {position} of block {block} ({instruction.unit}, layer {layer})"
