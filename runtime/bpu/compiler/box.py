"""Boxes of tensors: from where to where along each axis."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from runtime.hbir.tensor_type import Shape

MAPS, CHANNELS, ROWS = 0, 1, 2
"""Axes of maps (maps, channels, rows, columns)."""


@dataclass(frozen=True)
class Box:
    """Values from `start` up to `stop`, exclusive, along each axis; never empty."""

    start: Shape
    stop: Shape

    @classmethod
    def whole(cls, shape: Shape) -> Box:
        """All of a tensor."""
        return cls((0,) * len(shape), shape)

    @cached_property
    def shape(self) -> Shape:
        return tuple(b - a for a, b in zip(self.start, self.stop, strict=True))

    def with_axis(self, axis: int, start: int, stop: int) -> Box:
        """Another range along one axis."""
        return Box(
            (*self.start[:axis], start, *self.start[axis + 1 :]),
            (*self.stop[:axis], stop, *self.stop[axis + 1 :]),
        )

    def range(self, axis: int) -> tuple[int, int]:
        """Start and stop along one axis."""
        return self.start[axis], self.stop[axis]

    def hull(self, other: Box | None) -> Box:
        """The smallest box with both."""
        if other is None:
            return self
        start = tuple(min(pair) for pair in zip(self.start, other.start, strict=True))
        return Box(start, tuple(max(pair) for pair in zip(self.stop, other.stop, strict=True)))

    def contains(self, other: Box) -> bool:
        """Whether all of another box is in this one."""
        return all(
            a <= b and d <= c
            for a, b, c, d in zip(self.start, other.start, self.stop, other.stop, strict=True)
        )

    def meets(self, other: Box) -> bool:
        """Whether they have a value in common."""
        return all(
            a < d and b < c for a, b, c, d in zip(self.start, other.start, self.stop, other.stop, strict=True)
        )

    def within(self, outer: Box) -> Box:
        """The same values, counted from the start of a box that contains them."""
        return Box(
            tuple(a - b for a, b in zip(self.start, outer.start, strict=True)),
            tuple(a - b for a, b in zip(self.stop, outer.start, strict=True)),
        )
