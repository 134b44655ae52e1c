"""What each layer costs: the sums are those of its instructions."""

from __future__ import annotations

import pytest
from timed_programs import block, slow_program, step, with_blocks
from two_layers import two_layers

from runtime.bpu.graph_operations import operations_of_graph
from runtime.bpu.performance.layer_times import LayerTimes, layer_times
from runtime.bpu.performance.timeline import timeline
from runtime.bpu.program.program import Program


def times_of(program: Program, overhead: float = 0) -> list[LayerTimes]:
    return layer_times(program, timeline(program), operations_of_graph(two_layers()), overhead)


@pytest.mark.parametrize("turns", [1, 3])
def test_sums_are_those_of_the_instructions(turns: int) -> None:
    program = slow_program(turns)
    found = times_of(program, overhead=60)
    assert [(layer.name, layer.op, layer.unit) for layer in found] == [
        ("first", "conv", "TAE"),
        ("second", "conv", "TAE"),
    ]
    for number, layer in enumerate(found):
        mine = [one for one in program.blocks[number].instructions if one.layer == number]
        loads = [one for one in mine if one.unit == "LOAD"]
        stores = [one for one in mine if one.unit == "STORE"]
        assert layer.instructions == len(mine) * turns
        assert layer.load == sum(one.cycles for one in loads) * turns
        assert layer.store == sum(one.cycles for one in stores) * turns
        assert layer.loaded == sum(one.output.bytes for one in loads) * turns
        assert layer.stored == sum(one.output.bytes for one in stores) * turns
        work = [one.cycles for one in mine if not one.moves]
        assert layer.compute + layer.overhead == sum(work) * turns and layer.overhead == 60
    assert [layer.macs for layer in found] == [4 * 3 * 9 * 30, 2 * 4 * 9 * 30]
    assert found[0].start == 0 and found[1].end == timeline(program).cycles
    assert found[0].end == found[1].start == timeline(program).blocks[0].end


def test_overhead_is_divided_among_turns_and_rounded_up_in_each() -> None:
    program = with_blocks(block(step("TAE", 25 + 7), turns=4))
    layer = times_of(program, overhead=99)[0]
    assert (layer.compute, layer.overhead) == (4 * 7, 4 * 25)


def test_a_first_turn_in_a_block_of_its_own_is_one_of_the_turns() -> None:
    program = with_blocks(block(step("LOAD", 5), step("TAE", 25 + 7)), block(step("TAE", 25 + 7), turns=3))
    layer = times_of(program, overhead=99)[0]
    assert (layer.compute, layer.overhead, layer.load) == (4 * 7, 4 * 25, 5)


@pytest.mark.parametrize(
    ("load", "compute", "overhead", "bound"),
    [(10, 30, 5, "compute"), (31, 30, 5, "ddr"), (10, 30, 20, "overhead")],
)
def test_what_takes_longest_bounds(load: int, compute: int, overhead: int, bound: str) -> None:
    program = with_blocks(block(step("LOAD", load), step("TAE", compute, 0)))
    assert times_of(program, overhead)[0].bound == bound
