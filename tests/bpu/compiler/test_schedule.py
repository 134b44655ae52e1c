"""The order of instructions: what waits for what, and transfers beside work."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from chain_graph import chain
from random_graphs import random_graph
from small_chips import small_chip

from runtime.bpu.compiler import CompilerOptions, compile_graph
from runtime.bpu.performance.timeline import timeline
from runtime.bpu.program.instruction import Block, Instruction
from runtime.bpu.program.program import Program
from runtime.bpu.simulator.hazards import known_to_have_ended


def compiled(seed: int, level: int, chip_bytes: int = 2**15) -> Program:
    graph = random_graph(np.random.default_rng(seed))
    march = small_chip("nash-m", chip_bytes)
    return compile_graph(graph, march, CompilerOptions(level, row_parts=3))  # type: ignore[arg-type]


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_waits_are_for_earlier_ones_and_none_follows_from_others(seed: int, level: int) -> None:
    for block in compiled(seed, level).blocks:
        for position, instruction in enumerate(block.instructions):
            assert list(instruction.after) == sorted(set(instruction.after))
            for wait in instruction.after:
                assert wait < position
                assert not _known_without(block, position, wait), (position, wait)


def _known_without(block: Block, position: int, wait: int) -> bool:
    """Whether an instruction is known to have ended even if that wait is left out."""
    instructions = list(block.instructions)
    one = instructions[position]
    rest = tuple(other for other in one.after if other != wait)
    instructions[position] = Instruction(
        one.unit, one.layer, one.inputs, one.output, one.constants, one.window, rest, one.cycles
    )
    unit = block.instructions[wait].unit
    before = sum(other.unit == unit for other in block.instructions[: wait + 1])
    return known_to_have_ended(Block(block.turns, tuple(instructions)))[position][unit] >= before


def test_without_optimization_one_thing_follows_the_other() -> None:
    program = compile_graph(chain(3), small_chip("nash-m", 2**16), CompilerOptions(0))
    spans = sorted(timeline(program).spans(), key=lambda span: span.start)
    assert all(a.end <= b.start for a, b in pairwise(spans) if b.instruction.moves)


def test_transfers_run_beside_work() -> None:
    march = small_chip("nash-m", 2**16)
    alone = timeline(compile_graph(chain(3), march, CompilerOptions(0))).cycles
    beside = compile_graph(chain(3), march, CompilerOptions(1))
    spans = timeline(beside).blocks[0].spans
    work = [span for span in spans if not span.instruction.moves]
    loads = [span for span in spans if span.instruction.unit == "LOAD"]
    assert any(a.start < b.end and b.start < a.end for a in work for b in loads)
    assert timeline(beside).cycles < alone
