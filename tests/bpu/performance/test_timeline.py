"""When instructions run: units in order, side by side, one transfer at a time."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from timed_programs import block, step, timed

from runtime.bpu.performance.timeline import Span, block_spans
from runtime.bpu.program.instruction import UNITS, Block


def starts(*steps: object) -> list[tuple[int, int]]:
    return [(span.start, span.end) for span in block_spans(Block(1, steps))]  # type: ignore[arg-type]


def test_a_unit_takes_one_at_a_time_and_others_run_beside_it() -> None:
    assert starts(step("TAE", 5), step("TAE", 3), step("VAE", 4)) == [(0, 5), (5, 8), (0, 4)]


def test_what_is_waited_for_has_ended() -> None:
    found = starts(step("LOAD", 10), step("TAE", 5, 0), step("VAE", 7), step("DTE", 1, 1, 2))
    assert found == [(0, 10), (10, 15), (0, 7), (15, 16)]


def test_loads_and_stores_share_the_bandwidth() -> None:
    assert starts(step("LOAD", 10), step("STORE", 4), step("LOAD", 2)) == [(0, 10), (10, 14), (14, 16)]


def test_a_load_does_not_wait_for_a_store_that_is_not_ready() -> None:
    found = starts(step("TAE", 20), step("STORE", 6, 0), step("LOAD", 5), step("LOAD", 5))
    assert found == [(0, 20), (20, 26), (0, 5), (5, 10)]
    # A store that is ready while a transfer is under way stands first in line.
    found = starts(step("TAE", 3), step("STORE", 6, 0), step("LOAD", 5), step("LOAD", 5))
    assert found == [(0, 3), (5, 11), (0, 5), (11, 16)]


def test_a_unit_keeps_its_order_even_if_the_next_one_could_start() -> None:
    found = starts(step("TAE", 9), step("VAE", 1, 0), step("VAE", 1))
    assert found == [(0, 9), (9, 10), (10, 11)]


def test_turns_and_blocks_follow_each_other() -> None:
    times = timed(block(step("LOAD", 4), step("TAE", 6, 0), turns=3), block(step("VAE", 2)))
    assert [(one.start, one.cycles, one.end) for one in times.blocks] == [(0, 10, 30), (30, 2, 32)]
    assert times.cycles == 32
    found = [(span.instruction.unit, span.start, span.end) for span in times.spans()]
    turns = [("LOAD", 0, 4), ("TAE", 4, 10), ("LOAD", 10, 14), ("TAE", 14, 20), ("LOAD", 20, 24)]
    assert found == [*turns, ("TAE", 24, 30), ("VAE", 30, 32)]


def test_nothing_takes_no_time() -> None:
    assert timed().cycles == 0 and list(timed().spans()) == []


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    steps = []
    for position in range(draw(st.integers(1, 12))):
        earlier = st.sets(st.integers(0, position - 1), max_size=3) if position else st.just(set())
        steps.append(step(draw(st.sampled_from(UNITS)), draw(st.integers(1, 9)), *sorted(draw(earlier))))
    return Block(1, tuple(steps))


@given(blocks())
def test_every_rule_holds_and_nothing_waits_without_a_reason(one: Block) -> None:
    spans = block_spans(one)
    assert [span.instruction for span in spans] == list(one.instructions)
    last: dict[str, Span] = {}
    transfers = [span for span in spans if span.instruction.moves]
    for span in spans:
        instruction = span.instruction
        assert span.end - span.start == instruction.cycles
        before = [spans[position].end for position in instruction.after]
        if instruction.unit in last:
            before.append(last[instruction.unit].end)
        last[instruction.unit] = span
        assert span.start >= max(before, default=0)
        if instruction.moves:
            before += [other.end for other in transfers if other is not span]
        assert span.start in (0, *before)
    ordered = sorted(transfers, key=lambda span: span.start)
    assert all(a.end <= b.start for a, b in pairwise(ordered))
