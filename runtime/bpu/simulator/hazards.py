"""Instructions that run at the same time must not touch the same bytes, unless all only read them.

An instruction is known to have ended before another one starts if the other waits for it, directly or through
others, or if it is an earlier one of the same unit; turns and blocks end on all units at once. What is known
is a vector clock: for each unit, how many of its instructions have ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runtime.bpu.program.instruction import UNITS, Block, Instruction, Unit
from runtime.bpu.program.program import Program
from runtime.bpu.program.region import Region
from runtime.bpu.simulator.effort import Effort
from runtime.bpu.simulator.instruction_place import instruction_place
from runtime.bpu.simulator.shared_bytes import share_bytes
from runtime.bpu.simulator.turns import at_turn
from runtime.errors import RunError

_PAIRS_AT_COST = 1000  # of those that numpy compares by their ends alone
_IN_PLACE = ("add", "multiply", "lookup")
Clock = dict[Unit, int]


def check_hazards(program: Program, effort: Effort | None = None) -> None:
    """Checks all pairs of instructions that may run at the same time, byte by byte, at every turn.

    Args:
        program: a verified one.
        effort: what the check may cost, `MAX_EFFORT` by default.

    Raises:
        RunError: two that touch the same bytes, one of them writing; one that writes over its own inputs; too
            many pairs to compare.
    """
    effort = effort or Effort()
    for number, block in enumerate(program.blocks):
        clocks = known_to_have_ended(block)
        for turn in range(block.turns):
            for position, other in _conflicts(program, block, turn, clocks, effort):
                place = instruction_place(program, number, position)
                if position == other:
                    raise RunError(f"{place} at turn {turn} writes over what it reads")
                raise RunError(
                    f"{place} and {instruction_place(program, number, other)} touch the same bytes at turn "
                    f"{turn}, and neither waits for the other"
                )


def known_to_have_ended(block: Block) -> list[Clock]:
    """For each instruction: how many of each unit's have surely ended when it starts."""
    counts: Clock = dict.fromkeys(UNITS, 0)
    ended: list[Clock] = []  # what is known when the instruction itself has ended
    last: dict[Unit, int] = {}
    clocks = []
    for position, instruction in enumerate(block.instructions):
        unit = instruction.unit
        before = [ended[index] for index in instruction.after]
        if unit in last:
            before.append(ended[last[unit]])
        clock: Clock = {u: max((known[u] for known in before), default=0) for u in UNITS}
        clocks.append(clock)
        counts[unit] += 1
        ended.append({**clock, unit: counts[unit]})
        last[unit] = position
    return clocks


@dataclass(frozen=True)
class _Accesses:
    """Of one unit at one turn, in its order; places of both memories on one line, the chip behind DDR.

    Args:
        regions: what is touched.
        owners: position of the instruction of each.
        starts: first byte of each, (N,).
        stops: byte behind the last of each, (N,).
        firsts: where the accesses of the unit's n-th instruction begin, (instructions + 1,).
        effort: what comparing them may cost.
    """

    regions: list[Region]
    owners: list[int]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    firsts: list[int]
    effort: Effort

    def near(self, region: Region, start: int, since: int, until: int) -> Iterator[int]:
        """Instructions from the unit's `since`-th to its `until`-th that touch a byte of a region."""
        low, high = self.firsts[since], self.firsts[until]
        self.effort.spend(1 + (high - low) // _PAIRS_AT_COST)
        meets = (self.starts[low:high] < start + region.span) & (self.stops[low:high] > start)
        for index in np.flatnonzero(meets):
            if share_bytes(region, self.regions[low + index], self.effort):
                yield self.owners[low + index]


def _conflicts(
    program: Program, block: Block, turn: int, clocks: list[Clock], effort: Effort
) -> Iterator[tuple[int, int]]:
    """Pairs (later, earlier) of positions."""
    effort.spend(sum(1 + len(instruction.regions) for instruction in block.instructions))
    instructions = [at_turn(instruction, turn) for instruction in block.instructions]
    writes = _by_unit(program, instructions, effort, writes=True)
    reads = _by_unit(program, instructions, effort, writes=False)
    counts: Clock = dict.fromkeys(UNITS, 0)
    for position, instruction in enumerate(instructions):
        if _destroys_input(program, instruction, effort):
            yield position, position
        output, outputs_at = instruction.output, _line(program, instruction.output)
        for unit in UNITS:
            since, until = clocks[position][unit], counts[unit]
            if unit == instruction.unit or since == until:
                continue
            for table in (writes[unit], reads[unit]):
                for other in table.near(output, outputs_at, since, until):
                    yield position, other
            for region in instruction.regions:
                for other in writes[unit].near(region, _line(program, region), since, until):
                    yield position, other
        counts[instruction.unit] += 1


def _by_unit(
    program: Program, instructions: list[Instruction], effort: Effort, *, writes: bool
) -> dict[Unit, _Accesses]:
    tables = {}
    for unit in UNITS:
        regions: list[Region] = []
        owners: list[int] = []
        firsts = [0]
        for position, instruction in enumerate(instructions):
            if instruction.unit == unit:
                touched = (instruction.output,) if writes else instruction.regions
                regions.extend(touched)
                owners.extend([position] * len(touched))
                firsts.append(len(regions))
        starts = np.array([_line(program, region) for region in regions], dtype=np.int64)
        spans = np.array([region.span for region in regions], dtype=np.int64)
        tables[unit] = _Accesses(regions, owners, starts, starts + spans, firsts, effort)
    return tables


def _line(program: Program, region: Region) -> int:
    return region.address + (program.ddr_bytes if region.memory == "chip" else 0)


def _destroys_input(program: Program, instruction: Instruction, effort: Effort) -> bool:
    """A unit writes while it reads: only where each value depends on the one in its place may they meet."""
    if instruction.moves:
        return False
    output = instruction.output
    in_place = program.layers[instruction.layer].op in _IN_PLACE
    for region in instruction.regions:
        same = (region.address, region.shape, region.strides, region.dtype) == (
            *(output.address, output.shape, output.strides, output.dtype),
        )
        if not (in_place and same) and share_bytes(region, output, effort):
            return True
    return False
