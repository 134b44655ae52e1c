"""Instructions that may run at the same time and touch the same bytes are refused, and only those."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from two_layers import program_of_two, with_instruction, with_instructions

from runtime.bpu.program.instruction import Block, Instruction
from runtime.bpu.program.program import Program
from runtime.bpu.program.region import Region
from runtime.bpu.simulator.effort import MAX_EFFORT, Effort
from runtime.bpu.simulator.hazards import check_hazards, known_to_have_ended
from runtime.bpu.simulator.shared_bytes import share_bytes
from runtime.errors import RunError

PROGRAM = program_of_two()
CHIP = PROGRAM.blocks[0].instructions[0].output


def chip(address: int, size: int, step: int = 0) -> Region:
    return Region("chip", address, "int8", (size,), (1,), step)


def ddr(address: int, size: int, step: int = 0) -> Region:
    return Region("ddr", address, "int8", (size,), (1,), step)


def load(address: int, size: int, *after: int, step: int = 0) -> Instruction:
    return Instruction("LOAD", 0, (ddr(0, size),), chip(address, size, step), after=after)


def store(address: int, size: int, *after: int, step: int = 0) -> Instruction:
    return Instruction("STORE", 0, (chip(address, size, step),), ddr(2**20, size, step), after=after)


def copy(unit: str, source: int, target: int, size: int, *after: int) -> Instruction:
    return Instruction(unit, 0, (chip(source, size),), chip(target, size), after=after)  # type: ignore[arg-type]


def program(*instructions: Instruction, turns: int = 1) -> Program:
    return replace(PROGRAM, chip_bytes=2**16, ddr_bytes=2**21, blocks=(Block(turns, instructions),))


@pytest.mark.parametrize(
    "fine",
    [
        program(load(0, 8), store(0, 8, 0)),
        program(load(0, 8), store(8, 8)),
        program(load(0, 8), load(0, 8), store(0, 8, 1)),  # one unit keeps its order
        program(load(0, 8), store(0, 8, 0), load(0, 8, 1)),
        program(load(0, 8), copy("VAE", 0, 8, 8, 0), store(8, 8, 1)),
        program(load(0, 8), copy("VAE", 0, 8, 8, 0), copy("DTE", 0, 16, 8, 0)),  # both only read
        program(load(0, 8), copy("VAE", 0, 8, 8, 0), copy("DTE", 8, 16, 8, 1), load(0, 8, 2)),  # over others
        program(load(0, 8, step=8), store(0, 8, 0, step=8), turns=3),
        program(load(0, 8), store(8, 8, step=8), turns=3),
    ],
)
def test_fine(fine: Program) -> None:
    check_hazards(fine)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (program(load(0, 8), store(0, 8)), "instruction 1 .* and instruction 0 .* touch the same bytes"),
        (program(load(0, 8), store(7, 8)), "neither waits for the other"),
        (program(load(0, 8), store(0, 8, 0), load(0, 8)), "instruction 2 .*LOAD.* and instruction 1 .*STORE"),
        (program(load(0, 8), copy("VAE", 0, 8, 8, 0), copy("DTE", 16, 8, 8, 0)), "instruction 2 .* and .* 1"),
        (
            program(load(0, 8), copy("VAE", 0, 8, 8, 0), copy("DTE", 8, 16, 8, 1), load(0, 8)),
            "instruction 3 .* and instruction 1",
        ),
        (program(load(0, 8), store(16, 8, step=-8), turns=3), "at turn 2"),
        (program(load(0, 8), copy("TAE", 0, 4, 8, 0)), "at turn 0 writes over what it reads"),
    ],
)
def test_refused(bad: Program, message: str) -> None:
    with pytest.raises(RunError, match=message):
        check_hazards(bad)


def test_channels_side_by_side_do_not_meet() -> None:
    """Two units write the odd and the even bytes of one buffer."""
    halves = [Region("chip", start, "int8", (1, 8, 4, 4), (256, 2, 64, 16)) for start in (0, 1)]
    source = Region("chip", 1024, "int8", (1, 8, 4, 4), (256, 2, 64, 16))
    vae, dte = (
        Instruction(unit, 0, (source,), half) for unit, half in zip(("VAE", "DTE"), halves, strict=True)
    )
    check_hazards(program(vae, dte))
    third = replace(dte, output=replace(halves[0], shape=(1, 1, 4, 4)))
    with pytest.raises(RunError, match="touch the same bytes"):
        check_hazards(program(vae, third))


def test_in_place() -> None:
    """What is computed value by value may write where it reads, but not beside that."""
    lookup = replace(PROGRAM.layers[0], op="lookup")
    whole = chip(0, 64)
    fine = Instruction("VAE", 0, (whole,), whole)
    check_hazards(replace(program(fine), layers=(lookup,)))
    for bad in (replace(fine, output=chip(1, 64)), replace(fine, output=chip(63, 1))):
        with pytest.raises(RunError, match="writes over what it reads"):
            check_hazards(replace(program(bad), layers=(lookup,)))
    with pytest.raises(RunError, match="writes over what it reads"):
        check_hazards(program(fine))  # a convolution


def test_every_wait_of_the_naive_program_is_needed() -> None:
    check_hazards(PROGRAM)
    found = 0
    for number, block in enumerate(PROGRAM.blocks):
        for position, instruction in enumerate(block.instructions):
            if instruction.after:
                found += 1
                with pytest.raises(RunError, match="touch the same bytes"):
                    check_hazards(with_instruction(PROGRAM, number, position, after=()))
    assert found == 4


def test_blocks_end_together() -> None:
    first = PROGRAM.blocks[0].instructions
    split = replace(
        with_instructions(PROGRAM, 0, list(first[:5])),
        blocks=(
            Block(1, first[:5]),
            *(Block(1, (replace(one, after=()),)) for one in first[5:]),
            *PROGRAM.blocks[1:],
        ),
    )
    check_hazards(split)


def test_clocks_against_reachability() -> None:
    """What is known to have ended is what a walk over all waits reaches."""
    rng = np.random.default_rng(0)
    units = ("LOAD", "STORE", "TAE", "VAE")
    for _ in range(40):
        instructions: list[Instruction] = []
        for position in range(20):
            after = tuple(sorted({int(at) for at in rng.integers(0, max(position, 1), 2) if at < position}))
            unit = units[rng.integers(4)]
            instructions.append(copy(unit, 0, 8, 8, *(after if rng.random() < 0.5 else ())))
        block = Block(1, tuple(instructions))
        reached: list[set[int]] = []
        orders = {unit: [i for i, one in enumerate(instructions) if one.unit == unit] for unit in units}
        previous = {b: a for order in orders.values() for a, b in pairwise(order)}
        for position, one in enumerate(instructions):
            direct = {*one.after, *({previous[position]} if position in previous else ())}
            reached.append(direct.union(*(reached[at] for at in direct)) if direct else set())
        for position, clock in enumerate(known_to_have_ended(block)):
            for unit in units:
                known = orders[unit][: clock[unit]]  # type: ignore[index]
                assert set(known) == {at for at in reached[position] if instructions[at].unit == unit}


def test_shared_bytes_against_counting() -> None:
    rng = np.random.default_rng(1)
    shared = 0
    for _ in range(400):
        regions = []
        for _ in range(2):
            shape = tuple(int(size) for size in rng.integers(1, 4, 3))
            item = int(rng.choice([1, 2]))
            strides = tuple(int(stride) * item for stride in rng.integers(1, 20, 3))
            dtype = "int8" if item == 1 else "int16"
            regions.append(Region("chip", int(rng.integers(20)) * item, dtype, shape, strides))  # type: ignore[arg-type]
        places = [
            {
                region.address + sum(i * s for i, s in zip(at, region.strides, strict=True)) + byte
                for at in np.ndindex(*region.shape)
                for byte in range(region.item_bytes)
            }
            for region in regions
        ]
        assert share_bytes(*regions) == bool(places[0] & places[1])
        shared += bool(places[0] & places[1])
    assert 50 < shared < 350


def combed(number: int) -> Program:
    """Loads into the even bytes of a buffer and stores from the odd ones, of which none waits."""
    even, odd = (Region("chip", start, "int8", (64,), (2,)) for start in (0, 1))
    row = Region("ddr", 2**20, "int8", (64,), (1,))
    loads = [Instruction("LOAD", 0, (row,), even)] * number
    return program(*loads, *[Instruction("STORE", 0, (odd,), replace(row, address=0))] * number)


def test_what_takes_long_to_compare_is_refused() -> None:
    """Twice as many instructions are four times as many pairs."""
    small, large = Effort(), Effort()
    check_hazards(combed(20), small)
    check_hazards(combed(40), large)
    spent = MAX_EFFORT - small.left
    assert 20 * 20 < spent < 3 * 20 * 20
    assert 3 * spent < MAX_EFFORT - large.left < 4 * spent
    check_hazards(combed(20), Effort(spent))
    with pytest.raises(RunError, match="too many instructions may run at the same time"):
        check_hazards(combed(20), Effort(spent - 1))


def test_many_turns_cost_more() -> None:
    once, often = Effort(), Effort()
    check_hazards(program(load(0, 8), store(8, 8)), once)
    check_hazards(program(load(0, 8), store(8, 8), turns=50), often)
    assert MAX_EFFORT - often.left == 50 * (MAX_EFFORT - once.left)


# Strides without a pattern: the first pair shares a byte, the second one does not.
HARD = [
    (
        Region("ddr", 0, "int8", (6, 8, 6, 7, 6, 6), (175037, 169103, 144311, 115801, 77814, 27062)),
        Region("ddr", 525, "int8", (4, 4, 4, 5, 7, 8), (186812, 134564, 114327, 106292, 71591, 14635)),
    ),
    (
        Region("ddr", 0, "int8", (5, 2, 4, 5, 4), (80677, 24900, 5712, 1706, 1120)),
        Region("ddr", 670, "int8", (5, 6, 3, 6, 7), (199442, 196168, 161007, 92211, 76766)),
    ),
]


@pytest.mark.parametrize("pair", HARD)
def test_hard_layouts_are_told_exactly_and_cost_more(pair: tuple[Region, Region]) -> None:
    places = [
        one.address + np.tensordot(one.strides, np.indices(one.shape), axes=1).reshape(-1) for one in pair
    ]
    effort = Effort()
    assert share_bytes(*pair, effort) == bool(np.isin(*places).any())
    assert MAX_EFFORT - effort.left > 1000
    with pytest.raises(RunError, match="too hard to compare"):
        share_bytes(*pair, Effort(500))
