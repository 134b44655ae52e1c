"""Wrong programs made of right ones: one mistake each, of the kinds that a compiler can make.

Each function draws one mutant, or gives None where its first choice would be no mistake: a change that cannot
show is left out here, by what the right program does, so that every mutant must be caught.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from runtime.bpu.program.instruction import Block, Instruction
from runtime.bpu.program.program import Program
from runtime.bpu.program.region import Region
from runtime.bpu.simulator.execute import Units
from runtime.bpu.simulator.memory import Array, Memory
from runtime.bpu.simulator.shared_bytes import share_bytes
from runtime.bpu.simulator.turns import at_turn

Place = tuple[int, int]
"""Block, and position in it."""
PADS = ("pad_top", "pad_bottom")


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


def with_block(program: Program, number: int, instructions: list[Instruction]) -> Program:
    blocks = list(program.blocks)
    blocks[number] = Block(blocks[number].turns, tuple(instructions))
    return replace(program, blocks=tuple(blocks))


def with_one(program: Program, place: Place, instruction: Instruction) -> Program:
    instructions = list(program.blocks[place[0]].instructions)
    instructions[place[1]] = instruction
    return with_block(program, place[0], instructions)


def with_regions(instruction: Instruction, change: Callable[[Region], Region]) -> Instruction:
    """Its inputs and constants changed."""
    return replace(
        instruction,
        inputs=tuple(change(region) for region in instruction.inputs),
        constants={key: change(region) for key, region in instruction.constants.items()},
    )


def shift_address(trace: Traced, rng: np.random.Generator) -> Program | None:
    """One region some values, pixels or rows away."""
    place = choose(rng, list(places(trace.program)))
    assert place is not None
    one = trace.instruction(place)
    steps = [int(rng.choice([-1, 1])) * stride for stride in (*one.output.strides, one.output.item_bytes)]
    step = steps[rng.integers(len(steps))]
    which = int(rng.integers(len(one.regions) + 1))
    if which == len(one.regions):
        return with_one(trace.program, place, replace(one, output=_shifted(one.output, step)))
    region = one.regions[which]
    step = step // region.item_bytes * region.item_bytes or region.item_bytes
    if any(len(set(values[which])) == 1 for values in trace.reads[place]):
        return None  # all bytes alike, and perhaps those beside them
    return with_one(
        trace.program, place, with_regions(one, lambda r: _shifted(r, step) if r is region else r)
    )


def _shifted(region: Region, by: int) -> Region:
    return replace(region, address=region.address + by)


def shorten_halo(trace: Traced, rng: np.random.Generator) -> Program | None:
    """A row of the map less above, and a row of padding in its place."""
    layers = trace.program.layers
    candidates = [
        place
        for place in places(trace.program)
        if layers[trace.instruction(place).layer].op in ("conv", "max_pool")
        and not trace.instruction(place).moves
        and trace.instruction(place).inputs[0].shape[2] > 1
        and all(any(values[0]) for values in trace.reads[place])  # zeros are what padding is
    ]
    place = choose(rng, candidates)
    if place is None:
        return None
    one = trace.instruction(place)
    padding = layers[one.layer].attributes["padding"]
    assert isinstance(padding, tuple)
    top, bottom = (one.window.get(key, padding[0]) for key in PADS)
    source, (maps, channels, rows, columns) = one.inputs[0], one.inputs[0].shape
    rest = replace(_shifted(source, source.strides[2]), shape=(maps, channels, rows - 1, columns))
    changed = replace(one, inputs=(rest, *one.inputs[1:]), window={"pad_top": top + 1, "pad_bottom": bottom})
    return with_one(trace.program, place, changed)


def change_pads(trace: Traced, rng: np.random.Generator) -> Program | None:
    """A row of padding more above and less below, or none at all.

    A maximum over all rows does not mind where padding is; there must be several.
    """
    candidates = [
        place
        for place in places(trace.program)
        if sum(trace.instruction(place).window.get(key, 0) for key in PADS)
        and trace.instruction(place).output.shape[2] > 1
    ]
    place = choose(rng, candidates)
    if place is None:
        return None
    one = trace.instruction(place)
    top, bottom = (one.window[key] for key in PADS)
    if top == bottom:
        return with_one(trace.program, place, replace(one, window={"pad_top": 0, "pad_bottom": 0}))
    return with_one(trace.program, place, replace(one, window={"pad_top": bottom, "pad_bottom": top}))


def free_early(trace: Traced, rng: np.random.Generator) -> Program | None:
    """A buffer moved, with everybody who reads it, onto one that is read later."""
    program = trace.program
    written = [place for place in places(program) if trace.instruction(place).output.memory == "chip"]
    place = choose(rng, written)
    if place is None:
        return None
    number, position = place
    instructions = program.blocks[number].instructions
    output = instructions[position].output
    readers = _readers(instructions, position)
    live = [
        region
        for later in range(position + 1, len(instructions))
        for region in instructions[later].regions
        if region.memory == "chip"
        and not share_bytes(region, output)
        and _is_older(instructions, region, position, later)
    ]
    if not readers or not live:
        return None
    victim = live[rng.integers(len(live))]
    item = output.item_bytes
    by = (victim.address - output.address) // item * item
    if output.address + by < 0 or output.address + by + output.span > program.chip_bytes:
        return None
    moved = list(instructions)
    moved[position] = replace(moved[position], output=_shifted(output, by))
    for reader in readers:
        moved[reader] = with_regions(
            moved[reader], lambda r: _shifted(r, by) if share_bytes(r, output) else r
        )
    return with_block(program, number, moved)


def _readers(instructions: tuple[Instruction, ...], position: int) -> list[int]:
    """Who reads what an instruction writes, before anybody else writes there."""
    output, found = instructions[position].output, []
    for later in range(position + 1, len(instructions)):
        if any(share_bytes(region, output) for region in instructions[later].regions):
            found.append(later)
        if share_bytes(instructions[later].output, output):
            break
    return found


def _is_older(instructions: tuple[Instruction, ...], region: Region, position: int, reader: int) -> bool:
    """Whether what an instruction reads was written before another one, and not since."""
    return any(share_bytes(one.output, region) for one in instructions[:position]) and not any(
        share_bytes(one.output, region) for one in instructions[position:reader]
    )


def drop_instruction(trace: Traced, rng: np.random.Generator) -> Program | None:
    """One that changes something."""
    place = choose(rng, [place for place in places(trace.program) if trace.overwrites[place]])
    assert place is not None
    number, position = place
    instructions = list(trace.program.blocks[number].instructions)
    order = [at for at in range(len(instructions)) if at != position]
    return with_block(trace.program, number, _reordered(instructions, order))


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
    return with_block(trace.program, number, _reordered(instructions, order))


def _depends(later: Instruction, earlier: Instruction) -> bool:
    return any(share_bytes(region, earlier.output) for region in (*later.regions, later.output)) or any(
        share_bytes(region, later.output) for region in earlier.regions
    )


def drop_wait(trace: Traced, rng: np.random.Generator) -> Program | None:
    """A wait less, without which two that depend on each other have no order."""
    place = choose(rng, [place for place in places(trace.program) if trace.instruction(place).after])
    if place is None:
        return None
    number, position = place
    block = trace.program.blocks[number]
    one = block.instructions[position]
    dropped = one.after[rng.integers(len(one.after))]
    rest = replace(one, after=tuple(at for at in one.after if at != dropped))
    mutant = with_one(trace.program, place, rest)
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


def _ended_before(block: Block) -> list[set[int]]:
    """For each instruction, those that surely have ended when it starts: a walk over all waits."""
    found: list[set[int]] = []
    last: dict[str, int] = {}
    for position, one in enumerate(block.instructions):
        direct = {*one.after, *([last[one.unit]] if one.unit in last else [])}
        found.append(direct.union(*(found[at] for at in direct)) if direct else set())
        last[one.unit] = position
    return found


MUTATIONS: tuple[Mutation, ...] = (
    *(shift_address, shorten_halo, change_pads, free_early),
    *(drop_instruction, reorder, drop_wait),
)
