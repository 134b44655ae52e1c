"""Chooses into how many parts a group is cut: what fits, and of that the best by the cost model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runtime.bpu.compiler.estimate import Estimate, Estimator
from runtime.bpu.compiler.groups import Group, Tiling
from runtime.bpu.compiler.options import CompilerOptions

_MORE_CHANNEL_PARTS = 2
"""How many further numbers of channel parts are tried after the first that fits."""
_MORE_ROW_PARTS = 5
"""How many numbers of row parts are compared."""
_AHEAD = 3
"""A group that needs at most this part of its room is loaded while the one before it runs."""


@dataclass(frozen=True)
class Tiled:
    """A group, how it is cut, and what that costs.

    Args:
        group: which one.
        tiling: how.
        estimate: what it costs.
        fits_from: fewer parts of rows did not fit.
    """

    group: Group
    tiling: Tiling
    estimate: Estimate
    fits_from: int


def tile(
    group: Group,
    on_chip: frozenset[str],
    room: int,
    estimate: Estimator,
    options: CompilerOptions,
    *,
    least_rows: int = 1,
) -> Tiled | None:
    """The best tiling that fits into `room` bytes, None if none does.

    Args:
        least_rows: fewer parts of rows are known not to fit.
    """
    overlapping = options.optimization_level > 0
    if options.row_parts is not None or options.channel_parts is not None:
        return _forced(group, on_chip, room, estimate, options)
    found: list[Tiled] = []
    more = _MORE_CHANNEL_PARTS
    for channels in _counts(group.max_channels):
        fits = _fitting(group, channels, on_chip, room, estimate, overlapping, least_rows)
        if found and found[0].tiling.channels == 1:
            # Only for loads beside work: what has room for all rows keeps them whole.
            fits = [tiled for tiled in fits if tiled.tiling.rows == 1]
        found += fits
        if found:
            if (channels == 1 and _loads_ahead(found, room)) or not fits or more == 0:
                break
            more -= 1
    return min(found, key=lambda tiled: _key(tiled, options), default=None)


def _fitting(
    group: Group,
    channels: int,
    on_chip: frozenset[str],
    room: int,
    estimate: Estimator,
    overlapping: bool,
    least_rows: int,
) -> list[Tiled]:
    """The first few numbers of row parts that fit: more only add rows that are computed twice."""
    found: list[Tiled] = []
    enough = _MORE_ROW_PARTS if overlapping else 1
    for rows in _counts(group.max_rows, min(least_rows, group.max_rows)):
        if _least_tile(group, rows * channels, on_chip) > room:
            continue
        orders = (True, False) if rows > 1 and channels > 1 else (True,)
        for rows_first in orders:
            tiling = Tiling(rows, channels, rows_first)
            cost = estimate(group, tiling, on_chip, room=room if overlapping else 0)
            if cost.least_room <= room:
                found.append(Tiled(group, tiling, cost, found[0].fits_from if found else rows))
        if len(found) >= enough * len(orders) or (found and not cost.ddr_bytes):
            break
    return found


def _loads_ahead(found: list[Tiled], room: int) -> bool:
    """Whether the constants of a whole group need not be cut for the sake of running loads beside work."""
    return any(_AHEAD * tiled.estimate.least_room <= room for tiled in found)


def _least_tile(group: Group, parts: int, on_chip: frozenset[str]) -> int:
    """Bytes that the largest tile of a group has at least."""
    made = [group.section.made(layer) for layer in group.layers]
    return max((tensor.bytes // parts for tensor in made if tensor.name not in on_chip), default=0)


def least_room(group: Group, on_chip: frozenset[str], estimate: Estimator) -> int:
    """Bytes on the chip that the smallest parts of a group need."""
    tilings = (Tiling(group.max_rows, group.max_channels, rows_first) for rows_first in (True, False))
    return min(estimate(group, tiling, on_chip, room=0).least_room for tiling in tilings)


def cost_of(cost: Estimate, options: CompilerOptions) -> tuple[int, int]:
    """What is to be small: cycles, then bytes of DDR, or the other way round."""
    return (cost.ddr_bytes, cost.cycles) if options.objective == "ddr" else (cost.cycles, cost.ddr_bytes)


def _key(tiled: Tiled, options: CompilerOptions) -> tuple[int, ...]:
    tiling = tiled.tiling
    return (
        *cost_of(tiled.estimate, options),
        tiling.rows * tiling.channels,
        tiling.channels,
        int(tiling.rows_first),
    )


def _forced(
    group: Group, on_chip: frozenset[str], room: int, estimate: Estimator, options: CompilerOptions
) -> Tiled | None:
    """The parts that the options ask for, or as many more as it takes."""
    least_rows = min(options.row_parts or 1, group.max_rows)
    least_channels = min(options.channel_parts or 1, group.max_channels)
    for channels in _counts(group.max_channels, least_channels):
        for rows in _counts(group.max_rows, least_rows):
            tiling = Tiling(rows, channels, rows_first=True)
            cost = estimate(group, tiling, on_chip, room=room if options.optimization_level > 0 else 0)
            if cost.least_room <= room:
                return Tiled(group, tiling, cost, rows)
    return None


def _counts(most: int, least: int = 1) -> Iterator[int]:
    """Numbers of parts: `least`, larger ones in growing steps, `most`."""
    count = least
    while count < most:
        yield count
        count = max(count + 1, int(count * 1.5))
    yield most
