"""Which constants stay on the chip from the first turn of a section to the last: sets that are worth a try.

Without them every turn loads all constants anew. What they take is missing for tensors and parts, so a set is
tried by planning the section for a chip that is smaller by as much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from runtime.bpu.compiler.drafting import Chip
from runtime.bpu.compiler.placement import Placement
from runtime.bpu.program.region import aligned

_SHARES = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 3 / 8, 1 / 2, 5 / 8, 3 / 4, 7 / 8)
"""Of the chip, that kept constants may take."""


@dataclass(frozen=True)
class KeptConstants:
    """Constants that stay.

    Args:
        names: of their buffers.
        size: bytes on the chip.
    """

    names: frozenset[str]
    size: int


@dataclass(frozen=True)
class _Candidate:
    """Constants of a layer: bytes on the chip, and cycles of transfers that keeping them saves."""

    name: str
    size: int
    saved: int

    @property
    def merit(self) -> float:
        return self.saved / self.size


def constants_to_keep(placement: Placement, chip: Chip, capacity: int) -> Iterator[KeptConstants]:
    """Sets for growing shares of the chip, those first that save most for the room they take.

    Args:
        placement: of a section of several turns, without any.
        capacity: bytes on the chip.
    """
    candidates = sorted(_candidates(placement, chip), key=lambda one: (-one.merit, one.name))
    before = 0
    for share in _SHARES:
        names, size = [], 0
        for one in candidates:
            if size + one.size <= share * capacity:
                names.append(one.name)
                size += one.size
        if size > before:
            yield KeptConstants(frozenset(names), size)
            before = size


def _candidates(placement: Placement, chip: Chip) -> Iterator[_Candidate]:
    """Every layer with constants, and what all turns but the first load of them."""
    section, loaded = placement.section, Counter[int]()
    for draft in placement.drafts:
        if draft.unit == "LOAD" and draft.inputs[0].buffer == 0:
            loaded[draft.layer] += draft.cycles
    for layer, cycles in loaded.items():
        size = aligned(chip.constants[layer].size, chip.align)
        saved = section.turns * cycles - chip.cycles.transfer(chip.constants[layer].size)
        yield _Candidate(section.constants_name(layer), size, saved)
