"""What lies where on the chip, and when: for the map of the memory."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.bpu.performance.timeline import BlockTimes, Timeline
from runtime.bpu.program.region import Region


@dataclass(frozen=True)
class ChipBuffer:
    """Bytes on the chip that hold one thing for a while, in the first turn of their block.

    Args:
        layer: position of the layer whose data they are.
        loaded: whether they came from DDR; computed otherwise.
        address: of the first byte.
        size: bytes, gaps among them.
        start: cycle at which writing starts, from the beginning of the run.
        end: cycle at which the last reading ends.
    """

    layer: int
    loaded: bool
    address: int
    size: int
    start: int
    end: int


def chip_buffers(times: Timeline) -> list[ChipBuffer]:
    """Everything that is written on the chip, each until it is read for the last time or overwritten.

    What lies there from one block for the next is drawn to the end of its own block.
    """
    return [buffer for block in times.blocks for buffer in _of_block(block)]


def peak_bytes(times: Timeline) -> int:
    """The highest address on the chip that is used, exclusive."""
    return max(
        (
            region.address + region.span + abs(region.step) * (block.turns - 1)
            for block in times.blocks
            for span in block.spans
            for region in (*span.instruction.regions, span.instruction.output)
            if region.memory == "chip"
        ),
        default=0,
    )


@dataclass
class _Open:
    layer: int
    loaded: bool
    low: int
    high: int
    start: int
    end: int
    read: bool = False


def _of_block(block: BlockTimes) -> list[ChipBuffer]:
    live: list[_Open] = []
    closed: list[_Open] = []
    for span in sorted(block.spans, key=lambda span: (span.start, span.end)):
        for region in span.instruction.regions:
            if region.memory == "chip":
                for buffer in _touched(live, region):
                    buffer.end, buffer.read = max(buffer.end, span.end), True
        made = span.instruction.output
        if made.memory != "chip":
            continue
        loaded = span.instruction.unit == "LOAD"
        new = _Open(
            span.instruction.layer, loaded, made.address, made.address + made.span, span.start, span.end
        )
        for buffer in _touched(live, made):
            live.remove(buffer)
            # Parts of one result among each other belong together; what was read is over.
            if (buffer.layer, buffer.loaded) == (new.layer, new.loaded) and not buffer.read:
                new.low, new.high = min(new.low, buffer.low), max(new.high, buffer.high)
                new.start, new.end = min(new.start, buffer.start), max(new.end, buffer.end)
            else:
                closed.append(buffer)
        live.append(new)
    return [
        ChipBuffer(
            buffer.layer,
            buffer.loaded,
            buffer.low,
            buffer.high - buffer.low,
            block.start + buffer.start,
            block.start + buffer.end,
        )
        for buffer in (*closed, *live)
    ]


def _touched(live: list[_Open], region: Region) -> list[_Open]:
    low, high = region.address, region.address + region.span
    return [buffer for buffer in live if buffer.low < high and low < buffer.high]
