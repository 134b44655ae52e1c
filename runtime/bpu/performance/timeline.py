"""When each instruction runs: units in order, side by side, one transfer at a time.

An instruction starts when its unit is free, when all of `after` have ended, and, for a transfer, when no
other transfer is under way: loads and stores share the bandwidth of DDR. Of a load and a store, the one
that can start first does, and of two that can start at once the one that stands first. Turns of a block, and
blocks, follow each other without overlap.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from runtime.bpu.program.instruction import UNITS, Block, Instruction, Unit
from runtime.bpu.program.program import Program

_TRANSFERS: tuple[Unit, ...] = ("LOAD", "STORE")
_DDR = "DDR"


@dataclass(frozen=True)
class Span:
    """When one instruction runs, in cycles of the first turn of its block.

    Args:
        instruction: which one.
        start: from the beginning of the turn.
        end: exclusive.
    """

    instruction: Instruction
    start: int
    end: int


@dataclass(frozen=True)
class BlockTimes:
    """Of one block.

    Args:
        start: when its first turn begins, from the beginning of the run.
        turns: of `cycles` each.
        cycles: of one turn.
        spans: of the instructions, in their order.
    """

    start: int
    turns: int
    cycles: int
    spans: tuple[Span, ...]

    @property
    def end(self) -> int:
        """When its last turn has ended."""
        return self.start + self.turns * self.cycles


@dataclass(frozen=True)
class Timeline:
    """Of one run of a program, for one sample."""

    blocks: tuple[BlockTimes, ...]

    @property
    def cycles(self) -> int:
        """Of the whole run."""
        return self.blocks[-1].end if self.blocks else 0

    def spans(self) -> Iterator[Span]:
        """Every instruction in every turn, counted from the beginning of the run."""
        for block in self.blocks:
            for turn in range(block.turns):
                begin = block.start + turn * block.cycles
                for span in block.spans:
                    yield Span(span.instruction, begin + span.start, begin + span.end)


def timeline(program: Program) -> Timeline:
    """When everything of a program runs."""
    blocks: list[BlockTimes] = []
    start = 0
    for block in program.blocks:
        spans = block_spans(block)
        times = BlockTimes(start, block.turns, max((span.end for span in spans), default=0), spans)
        blocks.append(times)
        start = times.end
    return Timeline(tuple(blocks))


def block_spans(block: Block) -> tuple[Span, ...]:
    """When the instructions of a block run in a turn."""
    queues: dict[Unit, deque[int]] = {unit: deque() for unit in UNITS}
    for position, instruction in enumerate(block.instructions):
        queues[instruction.unit].append(position)
    spans: dict[int, Span] = {}
    free = dict.fromkeys((*UNITS, _DDR), 0)

    def run(position: int, start: int) -> None:
        instruction = block.instructions[position]
        spans[position] = Span(instruction, start, start + instruction.cycles)
        free[_shared(instruction.unit)] = start + instruction.cycles
        queues[instruction.unit].popleft()

    def ready(unit: Unit) -> int | None:
        """When the next instruction of a unit can start, None as long as that depends on others."""
        if not queues[unit]:
            return None
        after = block.instructions[queues[unit][0]].after
        if any(position not in spans for position in after):
            return None
        return max((spans[position].end for position in after), default=0)

    def compute() -> None:
        """Run what no longer depends on a transfer."""
        found = True
        while found:
            found = False
            for unit in UNITS:
                while unit not in _TRANSFERS and (start := ready(unit)) is not None:
                    run(queues[unit][0], max(start, free[unit]))
                    found = True

    compute()
    while len(spans) < len(block.instructions):
        # What is not known to be ready waits for one of these two, and is ready after it.
        starts = [
            (max(start, free[_DDR]), queues[unit][0])
            for unit in _TRANSFERS
            if (start := ready(unit)) is not None
        ]
        start, position = min(starts)
        run(position, start)
        compute()
    return tuple(spans[position] for position in range(len(spans)))


def _shared(unit: Unit) -> str:
    return _DDR if unit in _TRANSFERS else unit
