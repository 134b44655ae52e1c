"""What lies on the chip, and how long."""

from __future__ import annotations

from timed_programs import block, region, step, timed, with_blocks

from runtime.bpu.performance.chip_buffers import ChipBuffer, chip_buffers, peak_bytes
from runtime.bpu.performance.timeline import timeline
from runtime.bpu.program.instruction import Instruction

DDR = region(0, 64, "ddr")


def load(address: int, size: int, cycles: int, *after: int, layer: int = 0) -> Instruction:
    return step("LOAD", cycles, *after, layer=layer, reads=[DDR], writes=region(address, size))


def test_from_the_first_byte_written_to_the_last_read() -> None:
    times = timed(
        block(
            load(0, 16, 10),
            step("TAE", 5, 0, reads=[region(0, 16)], writes=region(16, 8)),
            step("STORE", 4, 1, reads=[region(16, 8)], writes=DDR),
        )
    )
    assert chip_buffers(times) == [
        ChipBuffer(0, True, 0, 16, start=0, end=15),
        ChipBuffer(0, False, 16, 8, start=10, end=19),
    ]
    assert peak_bytes(times) == 24


def test_what_is_written_over_is_over() -> None:
    times = timed(
        block(
            load(0, 16, 10),
            step("TAE", 5, 0, reads=[region(0, 16)], writes=region(16, 16)),
            load(0, 8, 3, 1, layer=1),
            step("VAE", 2, 2, layer=1, reads=[region(0, 8), region(16, 16)], writes=region(16, 16)),
        )
    )
    assert sorted(chip_buffers(times), key=lambda one: (one.address, one.start)) == [
        ChipBuffer(0, True, 0, 16, start=0, end=15),
        ChipBuffer(1, True, 0, 8, start=15, end=20),
        ChipBuffer(0, False, 16, 16, start=10, end=20),
        # In place: read and written at once.
        ChipBuffer(1, False, 16, 16, start=18, end=20),
    ]


def test_interleaved_parts_of_one_result_are_one_buffer() -> None:
    times = timed(
        block(
            step("TAE", 5, writes=region(0, 12)),
            step("TAE", 5, writes=region(4, 12)),
            step("VAE", 5, 1, layer=1, reads=[region(0, 16)], writes=region(32, 4)),
        )
    )
    assert chip_buffers(times) == [
        ChipBuffer(0, False, 0, 16, start=0, end=15),
        ChipBuffer(1, False, 32, 4, start=10, end=15),
    ]


def test_blocks_are_placed_in_the_run_and_drawn_once() -> None:
    times = timed(block(load(0, 4, 10), turns=3), block(load(8, 4, 5)))
    assert chip_buffers(times) == [
        ChipBuffer(0, True, 0, 4, start=0, end=10),
        ChipBuffer(0, True, 8, 4, start=30, end=35),
    ]


def test_what_an_earlier_block_left_stays_until_the_last_turn_has_read_it() -> None:
    times = timed(
        block(load(0, 4, 10), load(8, 4, 10)),
        block(step("TAE", 5, reads=[region(0, 4)], writes=region(16, 4)), turns=3),
    )
    assert sorted(chip_buffers(times), key=lambda one: one.address) == [
        ChipBuffer(0, True, 0, 4, start=0, end=35),
        ChipBuffer(0, True, 8, 4, start=10, end=20),
        ChipBuffer(0, False, 16, 4, start=20, end=25),
    ]


def test_peak_without_a_chip() -> None:
    assert peak_bytes(timeline(with_blocks())) == 0
