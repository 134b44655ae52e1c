"""Programs of which the time of every instruction is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from two_layers import program_of_two

from runtime.bpu.performance.timeline import Timeline, timeline
from runtime.bpu.program.instruction import Block, Instruction, Unit
from runtime.bpu.program.program import Program
from runtime.bpu.program.region import Region


def region(address: int, size: int, memory: str = "chip") -> Region:
    """Bytes."""
    return Region(memory, address, "int8", (size,), (1,))  # type: ignore[arg-type]


def step(
    unit: Unit,
    cycles: int,
    *after: int,
    layer: int = 0,
    reads: Sequence[Region] = (),
    writes: Region | None = None,
) -> Instruction:
    """An instruction of which only the given matters."""
    return Instruction(unit, layer, tuple(reads), writes or region(0, 1), after=after, cycles=cycles)


def block(*steps: Instruction, turns: int = 1) -> Block:
    """One block."""
    return Block(turns, steps)


def timed(*blocks: Block) -> Timeline:
    """When these blocks run, one after the other."""
    return timeline(with_blocks(*blocks))


def with_blocks(*blocks: Block) -> Program:
    """A program of two layers with these blocks."""
    return replace(program_of_two(), blocks=blocks)


def slow_program(turns: int = 1) -> Program:
    """Two whole layers: an instruction at position p takes 1000 + 100 p cycles; blocks run in turns."""
    program = program_of_two()
    blocks = tuple(
        Block(
            turns,
            tuple(replace(one, cycles=1000 + 100 * p) for p, one in enumerate(given.instructions)),
        )
        for given in program.blocks
    )
    return replace(program, blocks=blocks)
