"""A right program and what it does, of which mutations make wrong ones: one mistake each, as of a compiler.

A mutation draws one mutant, or gives None where its first choice would be no mistake: a change that cannot
show is left out, by what the right program does, so that every mutant must be caught.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from runtime.bpu.program.instruction import Instruction
from runtime.bpu.program.program import Program
from runtime.bpu.program.region import Region
from runtime.bpu.simulator.execute import Units
from runtime.bpu.simulator.memory import Array, Memory
from runtime.bpu.simulator.turns import at_turn

Place = tuple[int, int]
"""Block, and position in it."""


@dataclass(frozen=True)
class Traced:
    """A right program, and what it does with some inputs.

    Args:
        reads: bytes of all that each instruction reads, at each turn.
        overwrites: whether an instruction changes a byte that had another value, or none, at some turn.
    """

    program: Program
    reads: dict[Place, list[list[bytes]]]
    overwrites: dict[Place, bool]

    def instruction(self, place: Place) -> Instruction:
        return self.program.blocks[place[0]].instructions[place[1]]


Mutation = Callable[[Traced, np.random.Generator], Program | None]


def traced(program: Program, inputs: dict[str, Tensor]) -> Traced:
    """One sample of a program, instruction by instruction."""
    memories = {"ddr": Memory(program.ddr_bytes), "chip": Memory(program.chip_bytes, seed=5)}
    memories["ddr"].fill(0, program.constants)
    for name, codes in inputs.items():
        memories["ddr"].write(program.homes[name], codes.numpy())
    units = Units(program)
    reads: dict[Place, list[list[bytes]]] = {}
    overwrites: dict[Place, bool] = {}
    for number, block in enumerate(program.blocks):
        for turn in range(block.turns):
            for position, one in enumerate(block.instructions):
                now, place = at_turn(one, turn), (number, position)
                values = [memories[region.memory].read(region).tobytes() for region in now.regions]
                reads.setdefault(place, []).append(values)
                before = _content(memories, now.output)
                units.execute(now, memories)
                after = _content(memories, now.output)
                changed = before is None or not np.array_equal(before, after)
                overwrites[place] = overwrites.get(place, False) or changed
    return Traced(program, reads, overwrites)


def _content(memories: dict[str, Memory], region: Region) -> Array | None:
    try:
        return memories[region.memory].read(region).copy()
    except ValueError:
        return None


def places(program: Program) -> Iterator[Place]:
    for number, block in enumerate(program.blocks):
        for position in range(len(block.instructions)):
            yield number, position


def choose(rng: np.random.Generator, candidates: list[Place]) -> Place | None:
    return candidates[rng.integers(len(candidates))] if candidates else None
