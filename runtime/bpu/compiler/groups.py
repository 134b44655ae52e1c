"""Layers that are computed together, part by part, and the parts.

A part of a group is some rows of what it hands on. The rows that its layers have to compute for that follow
backwards, from the last layer to the first; rows beside a part, which windows reach into, are computed anew
with every part, except where the whole tensor stays on the chip. A single layer may be cut into channels,
too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from runtime.bpu.compiler.box import CHANNELS, ROWS, Box
from runtime.bpu.compiler.parts import channel_step, cuts_rows, part_of
from runtime.bpu.compiler.sections import Section

Step = tuple[tuple[int, Box], ...]
"""Layers in their order, each with the box of its result that is computed."""


@dataclass(frozen=True)
class Tiling:
    """Into how many parts a group is cut.

    Args:
        rows: parts of the rows.
        channels: parts of the output channels, of a single layer.
        rows_first: all channels of some rows before the next rows; else all rows of some channels.
    """

    rows: int = 1
    channels: int = 1
    rows_first: bool = True


@dataclass(frozen=True)
class Group:
    """Consecutive layers of a section."""

    section: Section
    layers: tuple[int, ...]

    @cached_property
    def handed_on(self) -> tuple[str, ...]:
        """Tensors that are read elsewhere, or nowhere."""
        section, here = self.section, set(self.layers)
        names = [section.node(layer).output for layer in self.layers]
        return tuple(
            name
            for name in names
            if name in section.leaving or not section.readers[name] or not here >= set(section.readers[name])
        )

    @cached_property
    def inner(self) -> frozenset[str]:
        """Tensors that are read here only."""
        return frozenset(self.section.node(layer).output for layer in self.layers) - set(self.handed_on)

    @cached_property
    def names(self) -> frozenset[str]:
        """Tensors that are read or made here, and what the constants are called."""
        section = self.section
        return frozenset(
            name
            for layer in self.layers
            for name in (
                *section.node(layer).inputs,
                section.node(layer).output,
                section.constants_name(layer),
            )
        )

    @cached_property
    def max_rows(self) -> int:
        """Into how many parts of rows it can be cut."""
        made = [self.section.types[name] for name in self.handed_on]
        if not all(cuts_rows(self.section.node(self.section.makers[t.name]), t) for t in made):
            return 1
        return min(tensor.shape[ROWS] for tensor in made)

    @cached_property
    def max_channels(self) -> int:
        """Into how many parts of channels it can be cut."""
        if len(self.layers) > 1:
            return 1
        node, made = self.section.node(self.layers[0]), self.section.made(self.layers[0])
        return 1 if len(made.shape) < 2 else made.shape[CHANNELS] // channel_step(node, made)


def count_steps(group: Group, tiling: Tiling) -> int:
    """How many steps a tiling has; the last parts may be empty, then they do not count."""
    if len(group.layers) == 1:
        return len(_rows_of(group, tiling)) * len(_channels_of(group, tiling))
    return len(_cuts(group, tiling)) - 1


def step_of(group: Group, tiling: Tiling, on_chip: frozenset[str], number: int) -> Step:
    """One of the steps.

    Args:
        on_chip: tensors that lie on the chip as a whole: their rows are computed once.
    """
    if len(group.layers) == 1:
        return ((group.layers[0], _box_of(group, tiling, number)),)
    done: dict[str, int] = {}
    if number and on_chip & set(group.handed_on):
        before = _backwards(group, tiling, number - 1, {})
        done = {made: rows[1] for made, rows in before.items() if made in on_chip}
    rows = _backwards(group, tiling, number, done)
    if not number:
        rows = {made: (0, last) if made in on_chip else (first, last) for made, (first, last) in rows.items()}
    section = group.section
    return tuple(
        (layer, Box.whole(section.made(layer).shape).with_axis(ROWS, *rows[section.made(layer).name]))
        for layer in group.layers
        if section.made(layer).name in rows
    )


def _backwards(
    group: Group, tiling: Tiling, number: int, done: Mapping[str, int]
) -> dict[str, tuple[int, int]]:
    """Rows of every tensor of the group that a step computes.

    Args:
        done: how many rows of tensors on the chip are there already.
    """
    section, cuts = group.section, _cuts(group, tiling)
    here = {section.node(layer).output for layer in group.layers}
    reference = cuts[-1]
    needed: dict[str, tuple[int, int]] = {}
    for name in group.handed_on:
        height = section.types[name].shape[ROWS]
        first, last = (height * cut // reference for cut in cuts[number : number + 2])
        if first < last:
            needed[name] = (first, last)
    for layer in reversed(group.layers):
        made = section.made(layer)
        if made.name not in needed:
            continue
        first, last = needed[made.name]
        if made.name in done:
            first = done[made.name]
        if first >= last:
            del needed[made.name]
            continue
        needed[made.name] = (first, last)
        node, inputs = section.node(layer), section.inputs(layer)
        box = Box.whole(made.shape).with_axis(ROWS, first, last)
        for name, part in zip(node.inputs, part_of(node, inputs, made, box).inputs, strict=True):
            if name in here:
                first, last = part.range(ROWS)
                known = needed.get(name, (first, last))
                needed[name] = (min(first, known[0]), max(last, known[1]))
    return needed


def _cuts(group: Group, tiling: Tiling) -> list[int]:
    """Rows of the lowest tensor that is handed on, at which parts begin and end."""
    height = min(group.section.types[name].shape[ROWS] for name in group.handed_on)
    return _bounds(height, min(tiling.rows, height))


def _bounds(size: int, parts: int) -> list[int]:
    """Parts of one size, the last perhaps smaller."""
    length = -(-size // parts)
    return [*range(0, size, length), size]


def _rows_of(group: Group, tiling: Tiling) -> Sequence[tuple[int, int]]:
    made = group.section.made(group.layers[0])
    if group.max_rows == 1:
        return [(0, 1)]
    bounds = _bounds(made.shape[ROWS], min(tiling.rows, made.shape[ROWS]))
    return list(pairwise(bounds))


def _channels_of(group: Group, tiling: Tiling) -> Sequence[tuple[int, int]]:
    if group.max_channels == 1:
        return [(0, 1)]
    layer = group.layers[0]
    step = channel_step(group.section.node(layer), group.section.made(layer))
    bounds = [step * bound for bound in _bounds(group.max_channels, min(tiling.channels, group.max_channels))]
    return list(pairwise(bounds))


def _box_of(group: Group, tiling: Tiling, number: int) -> Box:
    rows, channels = _rows_of(group, tiling), _channels_of(group, tiling)
    row, channel = divmod(number, len(channels)) if tiling.rows_first else divmod(number, len(rows))[::-1]
    box = Box.whole(group.section.made(group.layers[0]).shape)
    if group.max_rows > 1:
        box = box.with_axis(ROWS, *rows[row])
    if group.max_channels > 1:
        box = box.with_axis(CHANNELS, *channels[channel])
    return box


def steps_of(group: Group, tiling: Tiling, on_chip: frozenset[str]) -> Iterator[Step]:
    """All steps, in their order."""
    for number in range(count_steps(group, tiling)):
        yield step_of(group, tiling, on_chip, number)
