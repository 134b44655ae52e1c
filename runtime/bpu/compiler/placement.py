"""One section as drafts in their order, with addresses on the chip but none in DDR."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.bpu.compiler.allocation import Allocation, Lifetime, allocate
from runtime.bpu.compiler.buffers import Buffer, Draft, Layout
from runtime.bpu.compiler.drafting import Chip, Drafting, Home
from runtime.bpu.compiler.estimate import in_ddr
from runtime.bpu.compiler.groups import steps_of
from runtime.bpu.compiler.plan import Plan
from runtime.bpu.compiler.prefetch import in_order
from runtime.bpu.compiler.sections import Section


@dataclass(frozen=True)
class Placement:
    """A section with everything but addresses in DDR.

    Args:
        section: the layers.
        plan: groups, parts and residents.
        buffers: those of DDR first.
        drafts: in the order of the instructions; those of the first turn among them.
        kept_bytes: from address 0 on, of constants that lie on the chip during all turns.
        chip: addresses of the buffers on the chip, by number.
        allocation: of the chip.
    """

    section: Section
    plan: Plan
    buffers: tuple[Buffer, ...]
    drafts: tuple[Draft, ...]
    kept_bytes: int
    chip: dict[int, int]
    allocation: Allocation


def place(section: Section, plan: Plan, chip: Chip, *, capacity: int, limit: int) -> Placement:
    """The drafts of a plan in order, and addresses on the chip, perhaps beyond its end.

    Args:
        capacity: bytes on the chip, beside those of constants that lie there during all turns.
        limit: bytes up to which transfers that run ahead may fill it.
    """
    buffers, homes = _buffers_in_ddr(section, plan, chip.align)
    drafting = Drafting(section, chip, homes, plan.on_chip, buffers)
    for tiled in plan.tiled:
        drafting.run(steps_of(tiled.group, tiled.tiling, plan.on_chip))
    drafts = in_order(drafting.drafts, buffers, align=chip.align, limit=limit)
    numbers = [number for number, buffer in enumerate(buffers) if buffer.is_placed]
    lifetimes = _lifetimes(drafts, buffers)
    allocation = allocate([lifetimes[number] for number in numbers], chip.align, limit=capacity)
    kept = drafting.kept_bytes
    allocation = allocation.above(kept)
    addresses = dict(zip(numbers, allocation.addresses, strict=True))
    return Placement(section, plan, tuple(buffers), tuple(drafts), kept, addresses, allocation)


def _buffers_in_ddr(section: Section, plan: Plan, align: int) -> tuple[list[Buffer], dict[str, Home]]:
    """The constants, then a buffer for every tensor that lies in DDR."""
    buffers, homes = [Buffer("", "ddr", 0, fixed=0)], {}
    names = dict.fromkeys(name for tiled in plan.tiled for name in in_ddr(tiled.group, plan.on_chip))
    for name in names:
        tensor = section.types[name]
        size = Layout.of(tensor.dtype, tensor.shape, align).size
        outside = name in section.leaving or name not in section.makers
        step = size if outside and section.turns > 1 else 0
        buffers.append(Buffer(name, "ddr", size * section.turns if step else size))
        homes[name] = Home(len(buffers) - 1, step)
    return buffers, homes


def _lifetimes(drafts: list[Draft], buffers: list[Buffer]) -> dict[int, Lifetime]:
    """From the first to the last access in the order of the drafts."""
    spans: dict[int, tuple[int, int]] = {}
    for position, draft in enumerate(drafts):
        for view in (*draft.reads, draft.output):
            spans[view.buffer] = spans.get(view.buffer, (position, position))[0], position
    return {number: Lifetime(buffers[number].size, *span) for number, span in spans.items()}
