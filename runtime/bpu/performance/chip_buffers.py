"""What lies where on the chip, and when: for the map of the memory."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.bpu.performance.timeline import Timeline
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

    What an earlier block left there for one with turns stays until the last of them has read it.
    """
    live: list[_Open] = []
    closed: list[_Open] = []
    for number, block in enumerate(times.blocks):
        last_turn = (block.turns - 1) * block.cycles
        for span in sorted(block.spans, key=lambda span: (span.start, span.end)):
            start, end = block.start + span.start, block.start + span.end
            for region in span.instruction.regions:
                for buffer in _touched(live, region):
                    later = last_turn if buffer.block < number else 0
                    buffer.end, buffer.read = max(buffer.end, end + later), True
            made = span.instruction.output
            if made.memory == "chip":
                loaded = span.instruction.unit == "LOAD"
                stop = made.address + made.span
                new = _Open(span.instruction.layer, loaded, number, made.address, stop, start, end)
                closed += _replaced(live, new, made)
    return [
        ChipBuffer(
            buffer.layer, buffer.loaded, buffer.low, buffer.high - buffer.low, buffer.start, buffer.end
        )
        for buffer in (*closed, *live)
    ]


def peak_bytes(times: Timeline) -> int:
    """The highest address on the chip that is used, exclusive."""
    return max(
        (
            region.address + region.span + max(0, region.step) * (block.turns - 1)
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
    block: int
    low: int
    high: int
    start: int
    end: int
    read: bool = False

    def belongs_to(self, other: _Open) -> bool:
        """Whether both are parts of one result, of which nothing has been read yet."""
        same = (self.layer, self.loaded, self.block) == (other.layer, other.loaded, other.block)
        return same and not self.read


def _replaced(live: list[_Open], new: _Open, made: Region) -> list[_Open]:
    """Puts a buffer in the place of those that it touches, and gives those that are over."""
    over = []
    for buffer in _touched(live, made):
        live.remove(buffer)
        if buffer.belongs_to(new):
            new.low, new.high = min(new.low, buffer.low), max(new.high, buffer.high)
            new.start, new.end = min(new.start, buffer.start), max(new.end, buffer.end)
        else:
            over.append(buffer)
    live.append(new)
    return over


def _touched(live: list[_Open], region: Region) -> list[_Open]:
    if region.memory != "chip":
        return []
    low, high = region.address, region.address + region.span
    return [buffer for buffer in live if buffer.low < high and low < buffer.high]
