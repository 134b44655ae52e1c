"""Plans a section and finds addresses for it, with more and more caution until it fits."""

from __future__ import annotations

from dataclasses import replace

from runtime.bpu.compiler.drafting import Chip
from runtime.bpu.compiler.estimate import Estimator
from runtime.bpu.compiler.instructions import block_of
from runtime.bpu.compiler.options import CompilerOptions, Objective
from runtime.bpu.compiler.placement import Placement, place
from runtime.bpu.compiler.plan import Plan, Share, plan, single_layers
from runtime.bpu.compiler.sections import Section
from runtime.bpu.compiler.tiling import least_room
from runtime.bpu.performance.timeline import block_spans
from runtime.errors import RunError

_SHARES = (
    (0.95, 0.97),
    (0.9, 0.92),
    (0.75, 0.8),
    (0.5, 0.6),
    (0.25, 0.5),
    (0.0, 0.8),
    (0.0, 1.0),
    (0.0, 0.9),
)
"""Shares of the chip that are tried until everything has an address: for tensors that stay there, for them
and the groups' parts."""
_AHEAD = (1.0, 0.85, 0.0)
"""Shares of the latter up to which transfers that run ahead may fill the chip."""


def compile_section(
    section: Section, estimate: Estimator, capacity: int, options: CompilerOptions, march: str
) -> Placement:
    """Plans, drafts, orders and places a section, with more and more caution until it fits.

    Raises:
        RunError: it does not.
    """
    # By the instructions themselves, a plan for the other objective may turn out better.
    objectives: tuple[Objective, ...] = (
        ("latency", "ddr") if options.objective == "latency" else ("ddr", "latency")
    )
    for residents, room in _SHARES:
        share = Share(int(capacity * residents), int(capacity * room))
        plans: list[Plan] = []
        for objective in objectives:
            found = plan(section, estimate, capacity, share, replace(options, objective=objective))
            plans += [found] if found is not None and found not in plans else []
        if not plans and room == 1.0:
            raise _too_large(section, estimate, capacity, march)
        placed = [_placed(section, found, estimate.chip, capacity, share, options) for found in plans]
        if fitting := [placement for placement in placed if placement is not None]:
            return fitting[0] if len(fitting) == 1 else min(fitting, key=lambda one: _cost(one, options))
    raise RunError(f"no addresses found for {len(section.layers)} layers in {capacity} bytes of {march}")


def _placed(
    section: Section, found: Plan, chip: Chip, capacity: int, share: Share, options: CompilerOptions
) -> Placement | None:
    """With transfers as far ahead as addresses can be found for, None if for none of that."""
    for ahead in _AHEAD if options.optimization_level > 0 else (0.0,):
        placement = place(section, found, chip, capacity=capacity, limit=int(share.room * ahead))
        if placement.allocation.peak <= capacity:
            return placement
    return None


def _cost(placement: Placement, options: CompilerOptions) -> tuple[int, int]:
    """Cycles of a turn by the timeline and bytes of DDR, what is to be small first."""
    apart, end = {}, 0
    for buffer in placement.buffers:
        if buffer.memory == "ddr":
            apart[buffer.name], end = end, end + buffer.size
    cycles = max(span.end for span in block_spans(block_of(placement, apart)))
    moved = sum(draft.output.bytes for draft in placement.drafts if draft.unit in ("LOAD", "STORE"))
    return (moved, cycles) if options.objective == "ddr" else (cycles, moved)


def _too_large(section: Section, estimate: Estimator, capacity: int, march: str) -> RunError:
    """The error for the layer whose smallest part needs most."""
    needed, layer = max(
        (least_room(group, frozenset(), estimate), group.layers[0]) for group in single_layers(section)
    )
    node = section.node(layer)
    return RunError(
        f"the node `{node.name}` (`{node.op}`) needs {needed} bytes on the chip for its smallest part, "
        f"{march} has {capacity}",
        hint="smaller maps, fewer channels, or another march",
    )
