"""Whether a program fits the chip that is to run it: its memory, and which unit does what."""

from __future__ import annotations

from runtime.bpu.graph_operations import operation_name
from runtime.bpu.march_data import March
from runtime.bpu.program.program import Program
from runtime.bpu.simulator.instruction_place import instruction_place
from runtime.errors import RunError


def check_march(program: Program, march: March) -> None:
    """Checks a verified program against a march.

    Raises:
        RunError: it needs more memory than the chip has, or has an operation on a unit that does not do it.
    """
    memory = march.memory.on_chip_bytes.value
    if program.chip_bytes > memory:
        raise RunError(
            f"the program uses {program.chip_bytes} bytes on the chip, `{march.name}` has {memory:.0f}"
        )
    homes = [_home(march, layer.op) for layer in program.layers]
    for number, block in enumerate(program.blocks):
        for position, instruction in enumerate(block.instructions):
            home = homes[instruction.layer]
            if not instruction.moves and instruction.unit != home:
                raise RunError(
                    f"{instruction_place(program, number, position)} does "
                    f"`{program.layers[instruction.layer].op}`, which `{march.name}` does on {home}"
                )


def _home(march: March, op: str) -> str:
    """Where a march does an operation of the graph."""
    rule = march.operations.get(operation_name(op))
    return "no unit" if rule is None else rule.runs_on.value
