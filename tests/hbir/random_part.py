"""What draws of random nodes take and give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from runtime.hbir.graph import Attribute
from runtime.hbir.tensor_type import Constant, DType, TensorType

MAX_SIDE = 12
"""Pixels of a side that resizing and sampling make."""


@dataclass(frozen=True)
class Part:
    """A node before it has a name.

    Args:
        op: a key of `OPERATIONS`.
        inputs: tensors that it reads.
        dtype: of its result; None keeps that of the first input, and its scale.
        attributes: as the operation defines them.
        constants: as the operation defines them.
    """

    op: str
    inputs: Sequence[TensorType]
    dtype: DType | None = None
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    constants: Mapping[str, Constant] = field(default_factory=dict)


class Tensors(Protocol):
    """What a graph under construction offers: tensors of codes, and points for the sampling of maps."""

    rng: np.random.Generator

    def any(self, fits: Callable[[TensorType], bool]) -> TensorType | None:
        """One of the tensors that fit, if there are some."""
        ...

    def points(self, maps: int) -> TensorType | None:
        """The graph's input of points for so many maps, if it has one."""
        ...


Draw = Callable[[Tensors], Part | None]


def is_map(tensor: TensorType) -> bool:
    """(B, C, H, W)."""
    return len(tensor.shape) == 4


def pair(rng: np.random.Generator, least: int, most: int) -> tuple[int, int]:
    """(y, x), both from `least` to `most`."""
    return int(rng.integers(least, most + 1)), int(rng.integers(least, most + 1))
