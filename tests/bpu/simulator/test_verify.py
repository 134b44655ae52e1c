"""Programs that make no sense are refused before they run, with the instruction named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from two_layers import program_of_two, with_instruction

from runtime.bpu.program.instruction import Block
from runtime.bpu.program.program import Program
from runtime.bpu.simulator.fast import fast_simulator
from runtime.bpu.simulator.simulator import Simulator
from runtime.bpu.simulator.verify import verify
from runtime.errors import RunError

PROGRAM = program_of_two()
LOAD, WEIGHTS, COMPUTE, STORE = 0, 1, 5, 6
"""Positions in block 0."""


def instruction(position: int, **changed: Any) -> Program:
    return with_instruction(PROGRAM, 0, position, **changed)


def region(position: int, **changed: Any) -> Program:
    """The output of an instruction changed."""
    return instruction(position, output=replace(PROGRAM.blocks[0].instructions[position].output, **changed))


def source(position: int, **changed: Any) -> Program:
    return instruction(
        position, inputs=(replace(PROGRAM.blocks[0].instructions[position].inputs[0], **changed),)
    )


def constant(key: str, **changed: Any) -> Program:
    first = PROGRAM.layers[0]
    constants = {**first.constants, key: replace(first.constants[key], **changed)}
    return replace(PROGRAM, layers=(replace(first, constants=constants), *PROGRAM.layers[1:]))


def test_the_program_itself_passes() -> None:
    assert [node.name for node in verify(PROGRAM).nodes] == ["first", "second"]


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (
            region(LOAD, address=-64),
            r"instruction 0 of block 0 \(LOAD, layer `first`\) has a region at -0x40",
        ),
        (region(LOAD, address=PROGRAM.chip_bytes), "of chip, which has"),
        (source(LOAD, address=2**62), "of ddr, which has"),
        (region(COMPUTE, address=2**40), "of chip, which has"),
        (region(LOAD, dtype="int16"), "no multiples of 2 bytes|moves int8"),
        (region(LOAD, dtype="float32"), "has a region of `float32`"),
        (region(LOAD, memory="tape"), "has a region in `tape`, expected ddr or chip"),
        (region(LOAD, memory="ddr"), "does not go from ddr to chip"),
        (region(STORE, memory="chip", address=0), "does not go from chip to ddr"),
        (region(COMPUTE, memory="ddr"), "does not go from chip to chip"),
        (region(LOAD, shape=(1, 3, 6)), r"has a region of \(1, 3, 6\) with the strides"),
        (region(LOAD, shape=(1, 3, 0, 5)), "values are possible"),
        (region(LOAD, shape=(2**20, 2**20, 2**20, 1)), "values are possible"),
        (region(LOAD, shape=(1, 2, 6, 5)), r"moves int8 of \(1, 3, 6, 5\) to int8 of \(1, 2, 6, 5\)"),
        (region(COMPUTE, strides=(0, 0, 0, 0)), "values overlap"),
        (region(COMPUTE, strides=(-120, 1, 20, 4)), "values overlap"),
        (region(COMPUTE, shape=(1, 5, 6, 5), strides=(150, 1, 25, 5)), r"for `a`, int8 of \(1, 4, 6, 5\)"),
        (region(STORE, address=0), "overwrites constants at 0x0"),
        (instruction(LOAD, unit="GPU"), "is for the unit `GPU`"),
        (instruction(LOAD, layer=9), r"\(LOAD, layer 9\) belongs to one of 2 layers"),
        (instruction(LOAD, layer=-1), "belongs to one of 2 layers, which does not exist"),
        (instruction(LOAD, cycles=0), "takes 0 cycles"),
        (instruction(LOAD, inputs=()), "moves something else than one region"),
        (instruction(LOAD, window={"pad_top": 0}), "moves something else than one region"),
        (instruction(COMPUTE, after=(COMPUTE,)), "waits for instruction 5, which is not before it"),
        (instruction(COMPUTE, after=(STORE,)), "waits for instruction 6, which is not before it"),
        (instruction(COMPUTE, after=(-1,)), "waits for instruction -1"),
        (instruction(COMPUTE, inputs=()), "reads 0 tensors, its layer reads 1"),
        (instruction(COMPUTE, constants={}), "has the constants"),
        (instruction(COMPUTE, window={"first_row": 0, "source_row": 0}), "has the window"),
        (instruction(COMPUTE, window={"pad_top": 1}), "has the window"),
        (instruction(COMPUTE, window={"pad_top": -1, "pad_bottom": 1}), "has the window"),
        (constant("weight", address=PROGRAM.ddr_bytes), "the constant `weight` of the layer `first`"),
        (constant("bias", memory="chip"), "has a region in `chip`, expected ddr"),
        (constant("bias", shape=(3,)), "has `bias` of"),
        (replace(PROGRAM, ddr_bytes=2**40), "at most 2147483648 are possible"),
        (replace(PROGRAM, ddr_bytes=1), "at most 2147483648 are possible"),
        (replace(PROGRAM, chip_bytes=2**40), "at most 268435456 are possible"),
        (replace(PROGRAM, chip_bytes=-1), "at most 268435456 are possible"),
        (replace(PROGRAM, blocks=(Block(0, ()),)), "has no turn"),
        (replace(PROGRAM, blocks=(replace(PROGRAM.blocks[0], turns=2**40),)), "instructions: at most"),
        (replace(PROGRAM, homes={}), "has homes for"),
        (replace(PROGRAM, homes={name: PROGRAM.homes["b"] for name in "xb"}), "the home of `x` is int32"),
        (
            replace(PROGRAM, homes={**PROGRAM.homes, "x": replace(PROGRAM.homes["x"], address=0)}),
            "the home of `x` lies on constants",
        ),
        (
            replace(
                PROGRAM,
                homes={**PROGRAM.homes, "x": replace(PROGRAM.homes["x"], address=PROGRAM.homes["b"].address)},
            ),
            "the homes of `(x|b)` and `(b|x)` overlap",
        ),
        (replace(PROGRAM, outputs=("nothing",)), "the results|has homes"),
        (replace(PROGRAM, layers=PROGRAM.layers[:1]), "1 nodes make 2 tensors"),
        (
            replace(PROGRAM, layers=(replace(PROGRAM.layers[0], op="shell"), PROGRAM.layers[1])),
            "is none of conv, linear",
        ),
    ],
)
def test_refused(program: Program, message: str) -> None:
    for run in (Simulator, fast_simulator):
        with pytest.raises(RunError, match=message):
            run(program)


def test_layers_do_not_share_constants() -> None:
    """A small file could else ask for any amount of memory."""
    addresses = {"weight": 0, "bias": 112, "multiplier": 128, "shift": 136}
    layers = tuple(
        replace(
            layer,
            constants={
                key: replace(region, address=addresses[key]) for key, region in layer.constants.items()
            },
        )
        for layer in PROGRAM.layers
    )
    with pytest.raises(RunError, match="the layers have 216 bytes of constants, the program 140"):
        verify(replace(PROGRAM, layers=layers, constants=PROGRAM.constants[:140]))


def steps_out(program: Program, step: int) -> Program:
    found = with_instruction(
        program, 0, LOAD, output=replace(program.blocks[0].instructions[LOAD].output, step=step)
    )
    return replace(found, blocks=(replace(found.blocks[0], turns=3), *found.blocks[1:]))


@pytest.mark.parametrize("step", [-8, 2**20])
def test_out_of_bounds_at_a_later_turn(step: int) -> None:
    with pytest.raises(RunError, match="of chip, which has"):
        verify(steps_out(PROGRAM, step))
