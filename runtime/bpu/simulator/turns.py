"""Instructions as they stand at one turn of their block."""

from __future__ import annotations

from dataclasses import replace

from runtime.bpu.program.instruction import Instruction


def at_turn(instruction: Instruction, turn: int) -> Instruction:
    """The instruction with all its regions where they are at a turn, counted from 0, without steps."""
    if not any(region.step for region in (*instruction.regions, instruction.output)):
        return instruction
    return replace(
        instruction,
        inputs=tuple(region.at_turn(turn) for region in instruction.inputs),
        output=instruction.output.at_turn(turn),
        constants={key: region.at_turn(turn) for key, region in instruction.constants.items()},
    )
