"""Wrong programs that touch other bytes: shifted regions, short halos, padding, buffers freed early."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from traced_program import Traced, choose, places
from two_layers import with_instruction, with_instructions

from runtime.bpu.program.instruction import Instruction
from runtime.bpu.program.program import Program
from runtime.bpu.program.region import Region
from runtime.bpu.simulator.shared_bytes import share_bytes

PADS = ("pad_top", "pad_bottom")


def shift_address(trace: Traced, rng: np.random.Generator) -> Program | None:
    """One region some values, pixels or rows away."""
    place = choose(rng, list(places(trace.program)))
    assert place is not None
    one = trace.instruction(place)
    steps = [int(rng.choice([-1, 1])) * stride for stride in (*one.output.strides, one.output.item_bytes)]
    step = steps[rng.integers(len(steps))]
    which = int(rng.integers(len(one.regions) + 1))
    if which == len(one.regions):
        return with_instruction(trace.program, *place, output=_shifted(one.output, step))
    region = one.regions[which]
    step = step // region.item_bytes * region.item_bytes or region.item_bytes
    if any(len(set(values[which])) == 1 for values in trace.reads[place]):
        return None  # all bytes alike, and perhaps those beside them
    moved = _read_elsewhere(one, lambda r: _shifted(r, step) if r is region else r)
    return with_instruction(trace.program, *place, **moved)


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
    window = {"pad_top": top + 1, "pad_bottom": bottom}
    return with_instruction(trace.program, *place, inputs=(rest, *one.inputs[1:]), window=window)


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
    top, bottom = (0, 0) if top == bottom else (bottom, top)
    return with_instruction(trace.program, *place, window={"pad_top": top, "pad_bottom": bottom})


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
        at = moved[reader]
        read = _read_elsewhere(at, lambda r: _shifted(r, by) if share_bytes(r, output) else r)
        moved[reader] = replace(at, **read)
    return with_instructions(program, number, moved)


def _shifted(region: Region, by: int) -> Region:
    return replace(region, address=region.address + by)


def _read_elsewhere(instruction: Instruction, change: Callable[[Region], Region]) -> dict[str, Any]:
    """The fields of an instruction with its inputs and constants changed."""
    return {
        "inputs": tuple(change(region) for region in instruction.inputs),
        "constants": {key: change(region) for key, region in instruction.constants.items()},
    }


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
