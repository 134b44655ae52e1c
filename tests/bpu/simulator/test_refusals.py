"""What only shows when a program runs is refused with the instruction, its layer and the place named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from naive_program import naive_program
from two_layers import program_of_two, two_layers, with_instruction, with_instructions

from runtime.bpu.program.program import Program
from runtime.bpu.program.region import Region
from runtime.bpu.simulator.fast import fast_simulator
from runtime.bpu.simulator.memory import Memory
from runtime.bpu.simulator.simulator import Simulator
from runtime.errors import RunError
from runtime.hbir.graph import Graph, Node
from runtime.hbir.tensor_type import TensorType

PROGRAM = program_of_two()
COMPUTE, STORE = 5, 6
X = {"x": torch.randint(-128, 128, (1, 3, 6, 5), dtype=torch.int8)}


def without(program: Program, position: int) -> Program:
    """Block 0 without one load; who waits for a later one waits for the one before."""
    kept = list(program.blocks[0].instructions)
    del kept[position]
    moved = [
        replace(one, after=tuple(at - (at >= position) for at in one.after)) if at >= position else one
        for at, one in enumerate(kept)
    ]
    return with_instructions(program, 0, moved)


def compute(**changed: object) -> Program:
    return with_instruction(PROGRAM, 0, COMPUTE, **changed)


def fewer_rows(rows: int) -> tuple[Region, ...]:
    source = PROGRAM.blocks[0].instructions[COMPUTE].inputs[0]
    return (replace(source, shape=(1, 3, rows, 5)),)


def test_reading_what_nothing_has_written() -> None:
    loaded = PROGRAM.blocks[0].instructions[0].output
    with pytest.raises(RunError) as caught:
        Simulator(without(PROGRAM, 0))(X)
    assert caught.value.message == (
        "instruction 4 of block 0 (TAE, layer `first`) at turn 0 reads chip at "
        f"{loaded.address:#x}, which nothing has written (90 of 90 values)"
    )


def test_a_result_that_is_not_stored() -> None:
    unfinished = replace(PROGRAM, blocks=(PROGRAM.blocks[0],))
    with pytest.raises(RunError, match="leaves its result `b` unfinished: it reads ddr at 0x"):
        Simulator(unfinished)(X)
    assert fast_simulator(unfinished)(X)["b"].shape == (1, 2, 6, 5)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (compute(inputs=fewer_rows(5)), r"makes \(1, 4, 5, 5\) of \(1, 3, 7, 5\), not \(1, 4, 6, 5\)"),
        (compute(window={"pad_top": 1, "pad_bottom": 0}), r"makes \(1, 4, 5, 5\)"),
        (compute(window={"pad_top": 2, "pad_bottom": 0}), "pads 2 rows above and 0 below, its layer pads 1"),
    ],
)
def test_parts_that_do_not_fit(program: Program, message: str) -> None:
    with pytest.raises(
        RunError, match=rf"instruction 5 of block 0 \(TAE, layer `first`\) at turn 0 {message}"
    ):
        Simulator(program)(X)


def resized(op: str) -> Program:
    x = TensorType("x", "int8", (1, 3, 6, 5), (1.0,))
    y = TensorType("y", "int8", (1, 3, 12, 10), (1.0,))
    attributes = {"size": (12, 10)}
    more = {"lo": -128, "hi": 127, "multiplier": 2**14, "shift": 30} if op == "resize_bilinear" else {}
    return naive_program(Graph((x,), (Node("up", op, ("x",), "y", {**attributes, **more}),), (y,), ("y",)))


@pytest.mark.parametrize("op", ["resize_bilinear", "resize_nearest"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda one: {"window": {"first_row": 1, "source_row": 0}}, "has 12 rows, not rows 1 to 12"),
        (lambda one: {"window": {"first_row": 0, "source_row": 1}}, "lies between rows 0 to 5, rows 1 to 6"),
        (
            lambda one: {
                "window": {"first_row": 0, "source_row": 0},
                "inputs": (replace(one.inputs[0], shape=(1, 3, 5, 5)),),
            },
            "lies between rows 0 to 5, rows 0 to 4 are given",
        ),
        (
            lambda one: {"inputs": (replace(one.inputs[0], shape=(1, 3, 5, 5)),)},
            "has 5 of 6 rows, and no window",
        ),
        (lambda one: {"inputs": (replace(one.inputs[0], shape=(1, 3, 6, 4)),)}, "has 4 of 5 columns"),
    ],
)
def test_rows_of_a_resize(op: str, change: Callable[..., dict[str, object]], message: str) -> None:
    program = resized(op)
    at = next(i for i, one in enumerate(program.blocks[0].instructions) if not one.moves)
    changed = with_instruction(program, 0, at, **change(program.blocks[0].instructions[at]))
    assert Simulator(program)(X)["y"].shape == (1, 3, 12, 10)
    with pytest.raises(RunError, match=message):
        Simulator(changed)(X)


def test_wrong_inputs() -> None:
    for run in (Simulator(PROGRAM), fast_simulator(PROGRAM)):
        with pytest.raises(RunError, match="the model reads `x`, it was given"):
            run({})
        with pytest.raises(RunError, match="the input `x` is float32, expected int8 codes"):
            run({"x": torch.zeros(1, 3, 6, 5)})


def test_samples_do_not_see_each_other() -> None:
    run = Simulator(naive_program(two_layers()))
    many = torch.randint(-128, 128, (3, 3, 6, 5), dtype=torch.int8)
    together = run({"x": many})["b"]
    alone = [run({"x": many[at : at + 1]})["b"] for at in range(3)]
    assert torch.equal(together, torch.cat(alone))


def test_memory() -> None:
    memory = Memory(16, seed=0)
    pair = Region("chip", 4, "int16", (2,), (2,))
    with pytest.raises(ValueError, match=r"reads chip at 0x4, which nothing has written \(2 of 2 values\)"):
        memory.read(pair)
    memory.write(replace(pair, dtype="int8", strides=(1,)), torch.tensor([1, 2]).numpy())
    assert memory.read(replace(pair, shape=(1,))).tolist() == [0x0201]
    with pytest.raises(ValueError, match=r"reads chip at 0x6, which nothing has written \(1 of 2 values\)"):
        memory.read(pair)
    for address in (-1, 13, 2**62):
        with pytest.raises(ValueError, match="is out of its 16 bytes"):
            memory.write(replace(pair, address=address), torch.tensor([1, 2]).numpy())
