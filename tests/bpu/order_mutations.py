"""Wrong programs whose instructions run in another order, wait for less, or are missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from traced_program import Traced, choose, places
from two_layers import with_instruction, with_instructions

from runtime.bpu.program.instruction import Block, Instruction
from runtime.bpu.program.program import Program
from runtime.bpu.simulator.shared_bytes import share_bytes
from runtime.bpu.simulator.turns import at_turn


def drop_instruction(trace: Traced, rng: np.random.Generator) -> Program | None:
    """One that changes something."""
    place = choose(rng, [place for place in places(trace.program) if trace.overwrites[place]])
    assert place is not None
    number, position = place
    instructions = list(trace.program.blocks[number].instructions)
    order = [at for at in range(len(instructions)) if at != position]
    return with_instructions(trace.program, number, _reordered(instructions, order))


def reorder(trace: Traced, rng: np.random.Generator) -> Program | None:
    """An instruction in front of one that it depends on, and waits for as little as may be."""
    place = choose(rng, [place for place in places(trace.program) if place[1]])
    if place is None:
        return None
    number, position = place
    instructions = list(trace.program.blocks[number].instructions)
    needed = [at for at in range(position) if _depends(instructions[position], instructions[at])]
    needed = [at for at in needed if trace.overwrites[(number, at)] and trace.overwrites[place]]
    if not needed:
        return None
    order = list(range(len(instructions)))
    order.remove(position)
    order.insert(needed[-1], position)
    return with_instructions(trace.program, number, _reordered(instructions, order))


def drop_wait(trace: Traced, rng: np.random.Generator) -> Program | None:
    """A wait less, without which two that depend on each other have no order."""
    place = choose(rng, [place for place in places(trace.program) if trace.instruction(place).after])
    if place is None:
        return None
    number, position = place
    block = trace.program.blocks[number]
    one = block.instructions[position]
    dropped = one.after[rng.integers(len(one.after))]
    rest = tuple(at for at in one.after if at != dropped)
    mutant = with_instruction(trace.program, *place, after=rest)
    before, after = _ended_before(block), _ended_before(mutant.blocks[number])
    lost = [
        (later, earlier)
        for later in range(position, len(before))
        for earlier in before[later] - after[later]
        if any(
            _depends(at_turn(block.instructions[later], turn), at_turn(block.instructions[earlier], turn))
            for turn in range(block.turns)
        )
    ]
    return mutant if lost else None


def _reordered(instructions: list[Instruction], order: list[int]) -> list[Instruction]:
    """Some of the instructions in another order; waits for later or missing ones are forgotten."""
    places = {old: new for new, old in enumerate(order)}
    return [
        replace(
            instructions[old],
            after=tuple(sorted(places[at] for at in instructions[old].after if places.get(at, new) < new)),
        )
        for new, old in enumerate(order)
    ]


def _depends(later: Instruction, earlier: Instruction) -> bool:
    return any(share_bytes(region, earlier.output) for region in (*later.regions, later.output)) or any(
        share_bytes(region, later.output) for region in earlier.regions
    )


def _ended_before(block: Block) -> list[set[int]]:
    """For each instruction, those that surely have ended when it starts: a walk over all waits."""
    found: list[set[int]] = []
    last: dict[str, int] = {}
    for position, one in enumerate(block.instructions):
        direct = {*one.after, *([last[one.unit]] if one.unit in last else [])}
        found.append(direct.union(*(found[at] for at in direct)) if direct else set())
        last[one.unit] = position
    return found
