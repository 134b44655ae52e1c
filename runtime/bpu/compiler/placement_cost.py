"""What a placed section costs by its own instructions, and which of several ways to place it to take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runtime.bpu.compiler.instructions import blocks_of
from runtime.bpu.compiler.options import Objective
from runtime.bpu.compiler.placement import Placement
from runtime.bpu.performance.timeline import block_spans

_EQUAL = 200
"""Costs that differ by at most one part in so many count as equal: chips differ from their timeline by more,
and a few cycles are not worth many bytes, nor a few bytes many cycles."""


@dataclass(frozen=True)
class PlacementCost:
    """Of all turns.

    Args:
        cycles: by the timeline.
        moved: bytes between DDR and the chip.
    """

    cycles: int
    moved: int

    def key(self, objective: Objective) -> tuple[int, int]:
        """What is to be small, in this order."""
        return (self.moved, self.cycles) if objective == "ddr" else (self.cycles, self.moved)


def cost_of_placement(placement: Placement) -> PlacementCost:
    """As if every tensor had a place of its own in DDR."""
    apart, end = {}, 0
    for buffer in placement.buffers:
        if buffer.memory == "ddr":
            apart[buffer.name], end = end, end + buffer.size
    cycles = moved = 0
    for block in blocks_of(placement, apart):
        cycles += block.turns * max(span.end for span in block_spans(block))
        moved += block.turns * sum(one.output.bytes for one in block.instructions if one.moves)
    return PlacementCost(cycles, moved)


def total(costs: Iterable[PlacementCost]) -> PlacementCost:
    """Of sections that run one after the other."""
    each = list(costs)
    return PlacementCost(sum(cost.cycles for cost in each), sum(cost.moved for cost in each))


def best_of(costs: Sequence[PlacementCost], objective: Objective) -> int:
    """The one with fewest bytes of those with about the fewest cycles, or the other way round."""
    keys = [cost.key(objective) for cost in costs]
    least = min(first for first, _ in keys)
    equal = [
        (second, first, place)
        for place, (first, second) in enumerate(keys)
        if first - least <= least // _EQUAL
    ]
    return min(equal)[2]
