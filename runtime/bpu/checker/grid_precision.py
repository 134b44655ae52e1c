"""Sampling points as codes: how far they reach, and how fine they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runtime.bpu.checker.finding import Finding
from runtime.bpu.checker.subject import Subject
from runtime.hbir.tensor_type import DType

_MAX_FRACTION_BITS = 8
_COARSE = 1 / 16


@dataclass(frozen=True)
class GridPrecision:
    """Points of a `grid_sample`.

    Args:
        dtype: of their codes.
        fraction_bits: of each coordinate.
        step: pixels of the sampled map from one code to the next.
        reach: last pixel that a code can name.
        side: the longer side of the sampled map, in pixels; a point there samples zero, so it is needed.
        best_fraction_bits: the most, up to 8, with which all of the map is reached; None where none are.
    """

    dtype: DType
    fraction_bits: int
    step: float
    reach: float
    side: int
    best_fraction_bits: int | None


def grid_precision(subject: Subject) -> GridPrecision | None:
    """Of a `grid_sample`, None of other nodes."""
    node = subject.node
    if node.op != "grid_sample":
        return None
    dtype = node.constants["points"].dtype if "points" in node.constants else subject.inputs[1].dtype
    largest = 2 ** (15 if dtype == "int16" else 7) - 1
    side, bits = max(subject.inputs[0].shape[2:]), node.integer("fraction_bits")
    fitting = [count for count in range(_MAX_FRACTION_BITS + 1) if side * 2**count <= largest]
    return GridPrecision(dtype, bits, 2.0**-bits, largest / 2**bits, side, fitting[-1] if fitting else None)


def grid_reaches_every_pixel(subject: Subject) -> Iterator[Finding]:
    """Codes of sampling points name every pixel of the map and the one behind it without saturating."""
    grid = grid_precision(subject)
    if grid is not None and grid.reach < grid.side:
        text = (
            f"{grid.dtype} points with {grid.fraction_bits} fraction bits reach pixel {grid.reach:g} of a "
            f"map of {grid.side} pixels: points beyond saturate"
        )
        yield Finding("warning", text, found=grid.reach, limit=grid.side)


def grid_steps_are_fine(subject: Subject) -> Iterator[Finding]:
    """One step of the sampling points is at most 1/16 of a pixel: coarser ones blur what is sampled."""
    grid = grid_precision(subject)
    if grid is not None and grid.step > _COARSE:
        text = f"one step of the sampling points is {grid.step:g} pixels, {grid.fraction_bits} fraction bits"
        yield Finding("warning", text, found=grid.step, limit=_COARSE)
