"""A small program written by hand, to be changed by tests: two convolutions, one in two parts of rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from naive_program import naive_program

from runtime.bpu.program.instruction import Block, Instruction
from runtime.bpu.program.program import Program
from runtime.hbir.graph import Graph, Node
from runtime.hbir.tensor_type import Constant, TensorType


def two_layers() -> Graph:
    """`x` (1, 3, 6, 5) to `b` (1, 2, 6, 5), which are accumulators."""
    rng = np.random.default_rng(7)

    def weights(outputs: int, inputs: int) -> dict[str, Constant]:
        return {
            "weight": Constant.of(rng.integers(-127, 128, (outputs, inputs, 3, 3)), "int8"),
            "bias": Constant.of(rng.integers(-999, 999, outputs), "int32"),
        }

    window: dict[str, Any] = {"groups": 1, "stride": (1, 1), "padding": (1, 1), "dilation": (1, 1)}
    rescale = {
        "multiplier": Constant.of(np.full(4, 2**14), "int16"),
        "shift": Constant.of(np.full(4, 22), "int8"),
    }
    x = TensorType("x", "int8", (1, 3, 6, 5), (1.0,))
    a = TensorType("a", "int8", (1, 4, 6, 5), (1.0,))
    b = TensorType("b", "int32", (1, 2, 6, 5), (1.0, 1.0))
    first = Node("first", "conv", ("x",), "a", {**window, "lo": -128, "hi": 127}, weights(4, 3) | rescale)
    second = Node("second", "conv", ("a",), "b", window, weights(2, 4))
    return Graph((x,), (first, second), (a, b), ("b",))


def program_of_two() -> Program:
    """Whole layers: five loads, `first` and its store in block 0; three loads, `second` and a store in 1."""
    return naive_program(two_layers())


def with_instruction(program: Program, block: int, position: int, **changed: Any) -> Program:
    """The program with some fields of one instruction changed."""
    instructions = list(program.blocks[block].instructions)
    instructions[position] = replace(instructions[position], **changed)
    return with_instructions(program, block, instructions)


def with_instructions(program: Program, block: int, instructions: list[Instruction]) -> Program:
    """The program with other instructions in one block."""
    blocks = list(program.blocks)
    blocks[block] = Block(blocks[block].turns, tuple(instructions))
    return replace(program, blocks=tuple(blocks))
