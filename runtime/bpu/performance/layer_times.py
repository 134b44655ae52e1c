"""What each layer of a program costs, summed over its instructions and their turns."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from runtime.bpu.operation import Operation
from runtime.bpu.performance.timeline import Timeline
from runtime.bpu.program.program import Program


@dataclass(frozen=True)
class LayerTimes:
    """Of one layer, in cycles and bytes of a whole run.

    Args:
        name: of the node.
        op: of the node.
        unit: that computes it.
        macs: multiply-accumulates without padding; rows that are computed twice are counted once.
        instructions: all turns.
        start: when its first instruction starts.
        end: when its last one ends.
        compute: the unit is busy, the overhead of starting the layer left out.
        overhead: of starting it.
        load: DDR is busy reading for it.
        store: DDR is busy writing for it.
        loaded: bytes.
        stored: bytes.
    """

    name: str
    op: str
    unit: str
    macs: int
    instructions: int
    start: int
    end: int
    compute: int
    overhead: int
    load: int
    store: int
    loaded: int
    stored: int

    @property
    def bound(self) -> str:
        """What takes longest: `compute`, `ddr` or `overhead`."""
        parts = {"compute": self.compute, "ddr": self.load + self.store, "overhead": self.overhead}
        return max(parts, key=lambda part: parts[part])


def layer_times(
    program: Program, times: Timeline, operations: list[Operation], overhead: float
) -> list[LayerTimes]:
    """The layers, in their order.

    Args:
        program: compiled from the graph of `operations`.
        times: its timeline.
        operations: one a layer.
        overhead: cycles of starting a layer, which are divided among the turns of its blocks and are part of
            its first compute instruction in each, rounded up.
    """
    rows, turns = [_Sums() for _ in program.layers], _turns(times)
    for block in times.blocks:
        last = block.start + (block.turns - 1) * block.cycles
        for span in block.spans:
            instruction = span.instruction
            sums = rows[instruction.layer]
            sums.instructions += block.turns
            start = block.start + span.start
            sums.start = start if sums.start is None else min(sums.start, start)
            sums.end = max(sums.end, last + span.end)
            busy = instruction.cycles * block.turns
            if instruction.unit == "LOAD":
                sums.load += busy
                sums.loaded += instruction.output.bytes * block.turns
            elif instruction.unit == "STORE":
                sums.store += busy
                sums.stored += instruction.output.bytes * block.turns
            else:
                sums.compute += busy
                sums.unit = instruction.unit
                sums.overhead = math.ceil(overhead / turns[instruction.layer]) * turns[instruction.layer]
    return [
        LayerTimes(
            name=layer.name,
            op=layer.op,
            unit=sums.unit,
            macs=operation.macs,
            instructions=sums.instructions,
            start=sums.start or 0,
            end=sums.end,
            compute=max(0, sums.compute - sums.overhead),
            overhead=min(sums.overhead, sums.compute),
            load=sums.load,
            store=sums.store,
            loaded=sums.loaded,
            stored=sums.stored,
        )
        for layer, operation, sums in zip(program.layers, operations, rows, strict=True)
    ]


def _turns(times: Timeline) -> Counter[int]:
    """How often each layer runs."""
    found = Counter[int]()
    for block in times.blocks:
        for layer in {span.instruction.layer for span in block.spans if not span.instruction.moves}:
            found[layer] += block.turns
    return found


class _Sums:
    """Of a layer, growing."""

    def __init__(self) -> None:
        self.unit = ""
        self.instructions = self.end = self.overhead = 0
        self.start: int | None = None
        self.compute = self.load = self.store = self.loaded = self.stored = 0
