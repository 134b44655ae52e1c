"""Plans a section and finds addresses for it, with more and more caution until it fits."""

from __future__ import annotations

from dataclasses import replace

from runtime.bpu.compiler.drafting import Chip
from runtime.bpu.compiler.estimate import Estimator
from runtime.bpu.compiler.kept_constants import constants_to_keep
from runtime.bpu.compiler.options import CompilerOptions, Objective
from runtime.bpu.compiler.placement import Placement, place
from runtime.bpu.compiler.placement_cost import best_of, cost_of_placement
from runtime.bpu.compiler.plan import Plan, Share, plan, single_layers
from runtime.bpu.compiler.sections import Section
from runtime.bpu.compiler.tiling import least_room
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
    found = _fitting(section, estimate, capacity, options)
    if found is None:
        estimate = Estimator(estimate.chip, closely=True)
        _check_room(section, estimate, capacity, march)
        found = _fitting(section, estimate, capacity, options)
    if found is None:
        raise RunError(f"no addresses found for {len(section.layers)} layers in {capacity} bytes of {march}")
    if section.turns == 1 or options.optimization_level == 0:
        return found
    tried, costs = [found], [cost_of_placement(found)]
    for kept in constants_to_keep(found, estimate.chip, capacity):
        found = _fitting(section, estimate, capacity - kept.size, options, kept.names)
        if found is None:
            break
        tried.append(found)
        costs.append(cost_of_placement(found))
        if best_of(costs, options.objective) != len(tried) - 1:
            break
    return tried[best_of(costs, options.objective)]


def _fitting(
    section: Section,
    estimate: Estimator,
    capacity: int,
    options: CompilerOptions,
    kept: frozenset[str] = frozenset(),
) -> Placement | None:
    """The best plan that fits, None if none does.

    Args:
        kept: constants that lie on the chip beside `capacity` bytes.
    """
    # By the instructions themselves, a plan for the other objective may turn out better.
    objectives: tuple[Objective, ...] = (
        ("latency", "ddr") if options.objective == "latency" else ("ddr", "latency")
    )
    for residents, room in _SHARES:
        share = Share(int(capacity * residents), int(capacity * room))
        plans: list[Plan] = []
        for objective in objectives:
            found = plan(section, estimate, capacity, share, replace(options, objective=objective), kept)
            plans += [found] if found is not None and found not in plans else []
        if not plans and room == 1.0:
            return None
        placed = [_placed(section, found, estimate.chip, capacity, share, options) for found in plans]
        if fitting := [placement for placement in placed if placement is not None]:
            return min(fitting, key=lambda one: cost_of_placement(one).key(options.objective))
    return None


def _placed(
    section: Section, found: Plan, chip: Chip, capacity: int, share: Share, options: CompilerOptions
) -> Placement | None:
    """With transfers as far ahead as addresses can be found for, None if for none of that."""
    for ahead in _AHEAD if options.optimization_level > 0 else (0.0,):
        placement = place(section, found, chip, capacity=capacity, limit=int(share.room * ahead))
        if placement.allocation.peak - placement.kept_bytes <= capacity:
            return placement
    return None


def _check_room(section: Section, estimate: Estimator, capacity: int, march: str) -> None:
    """Refuses the layer whose smallest part needs most, if that is more than there is.

    Raises:
        RunError: it is.
    """
    needed, layer = max(
        (least_room(group, frozenset(), estimate), group.layers[0]) for group in single_layers(section)
    )
    if needed > capacity:
        node = section.node(layer)
        raise RunError(
            f"the node `{node.name}` (`{node.op}`) needs {needed} bytes on the chip for its smallest part, "
            f"{march} has {capacity}",
            hint="smaller maps, fewer channels, or another march",
        )
