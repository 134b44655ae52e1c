"""What a group costs with some tiling: cycles, bytes of DDR, room on the chip; from the drafts themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from runtime.bpu.compiler.buffers import Buffer, Draft
from runtime.bpu.compiler.drafting import Chip, Drafting, Home
from runtime.bpu.compiler.groups import Group, Tiling, count_steps, step_of
from runtime.bpu.program.region import aligned

_SAMPLED = 2
"""Steps at the beginning that are looked at; the others but the last are as the last of these."""
_SAMPLED_CLOSELY = 128
"""About so many, all over the group, where a close look is wanted."""


@dataclass(frozen=True)
class Estimate:
    """Of one group in one turn.

    Args:
        cycles: from the first transfer to the last.
        ddr_bytes: read and written.
        least_room: bytes on the chip, beside tensors that lie there as a whole.
        room: the same with transfers of the next part at the same time as this one's work.
    """

    cycles: int
    ddr_bytes: int
    least_room: int
    room: int


@dataclass(frozen=True)
class _Parts:
    """What an estimate is made of: `edges` are the cycles of transfers that nothing runs beside."""

    work: int
    moved: int
    edges: int
    ddr_bytes: int
    least_room: int
    room: int


class Estimator:
    """Estimates of groups; what has been estimated is remembered.

    Args:
        chip: what instructions depend on.
        closely: look at more than the first steps and the last. With cuts in rows and channels at once the
            first ones all have the first rows, which windows reach beyond on one side only: the room that the
            rows in between need is then missed.
    """

    def __init__(self, chip: Chip, *, closely: bool = False) -> None:
        self.chip = chip
        self._closely = closely
        self._known: dict[tuple[tuple[int, ...], Tiling, frozenset[str]], _Parts] = {}

    def __call__(self, group: Group, tiling: Tiling, on_chip: frozenset[str], *, room: int) -> Estimate:
        """Of a group whose other tensors than `on_chip` and its inner ones pass through DDR.

        Args:
            room: bytes in which the transfers of a part may run beside the work on another; in less room they
                take turns.
        """
        key = group.layers, tiling, on_chip & group.names
        parts = self._known.get(key)
        if parts is None:
            parts = self._known[key] = _parts(group, tiling, key[2], self.chip, self._closely)
        together = max(parts.work + min(parts.edges, parts.moved), parts.moved)
        cycles = together if parts.room <= room else parts.work + parts.moved
        return Estimate(cycles, parts.ddr_bytes, parts.least_room, parts.room)


def _parts(group: Group, tiling: Tiling, on_chip: frozenset[str], chip: Chip, closely: bool) -> _Parts:
    count = count_steps(group, tiling)
    between = range(0, count, -(-count // _SAMPLED_CLOSELY)) if closely else ()
    numbers = sorted({*range(min(_SAMPLED, count)), *between, count - 1})
    homes = dict.fromkeys(in_ddr(group, on_chip), Home(0, 0))
    drafting = Drafting(group.section, chip, homes, on_chip, [Buffer("", "ddr", 0)])
    steps: list[list[Draft]] = []
    for number in numbers:
        before = len(drafting.drafts)
        drafting.run([step_of(group, tiling, on_chip, number)], first=number == 0)
        steps.append([draft for draft in drafting.drafts[before:] if not draft.once])
    # Those that are left out are as the one before them.
    weights = [after - number for number, after in pairwise((*numbers, count))]
    weighted = list(zip(weights, steps, strict=True))
    least = _peak(drafting, on_chip, chip.align)
    ahead = max(_transferred(step, drafting.buffers, on_chip, chip.align) for step in steps)
    return _Parts(
        work=sum(weight * _cycles(step, transfers=False) for weight, step in weighted),
        moved=sum(weight * _cycles(step, transfers=True) for weight, step in weighted),
        edges=sum(draft.cycles for draft in steps[0] if draft.unit == "LOAD")
        + sum(draft.cycles for draft in steps[-1] if draft.unit == "STORE"),
        ddr_bytes=sum(
            weight * sum(draft.output.bytes for draft in step if draft.unit in ("LOAD", "STORE"))
            for weight, step in weighted
        ),
        least_room=least,
        room=least + (ahead if count > 1 else 0),
    )


def in_ddr(group: Group, on_chip: frozenset[str]) -> list[str]:
    """Tensors that a group reads from DDR or writes there."""
    section = group.section
    here = {section.node(layer).output for layer in group.layers}
    names = dict.fromkeys(
        name for layer in group.layers for name in section.node(layer).inputs if name not in here
    )
    for name in group.handed_on:
        if name in section.leaving or section.readers[name]:
            names[name] = None
    return [
        name for name in names if name not in on_chip or name in section.leaving or name not in section.makers
    ]


def _cycles(drafts: Sequence[Draft], *, transfers: bool) -> int:
    return sum(draft.cycles for draft in drafts if (draft.unit in ("LOAD", "STORE")) == transfers)


def _peak(drafting: Drafting, on_chip: frozenset[str], align: int) -> int:
    """Most bytes that live at one time, one thing after the other."""
    last: dict[int, int] = {}
    first: dict[int, int] = {}
    for position, draft in enumerate(drafting.drafts):
        for view in (*draft.reads, draft.output):
            first.setdefault(view.buffer, position)
            last[view.buffer] = position
    changes = [0] * (len(drafting.drafts) + 1)
    for number, buffer in enumerate(drafting.buffers):
        if buffer.memory == "chip" and buffer.name not in on_chip:
            size = aligned(buffer.size, align)
            changes[first[number]] += size
            changes[last[number] + 1] -= size
    live = peak = 0
    for change in changes:
        live += change
        peak = max(peak, live)
    return peak


def _transferred(
    drafts: Sequence[Draft], buffers: Sequence[Buffer], on_chip: frozenset[str], align: int
) -> int:
    """Bytes of the tiles that a step loads or stores."""
    moved = {
        (draft.output if draft.unit == "LOAD" else draft.inputs[0]).buffer
        for draft in drafts
        if draft.unit in ("LOAD", "STORE")
    }
    return sum(
        aligned(buffers[number].size, align) for number in moved if buffers[number].name not in on_chip
    )
