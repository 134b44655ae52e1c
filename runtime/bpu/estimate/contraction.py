"""Products of two tensors in any notation, as a stack of matrix products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from runtime.bpu.operation import Shape


@dataclass(frozen=True)
class Contraction:
    """`count` products of (rows, inner) and (inner, columns) matrices."""

    count: int
    rows: int
    inner: int
    columns: int

    @property
    def shapes(self) -> tuple[Shape, Shape, Shape]:
        """Of both factors and the product."""
        return (
            (self.count, self.rows, self.inner),
            (self.count, self.inner, self.columns),
            (self.count, self.rows, self.columns),
        )


def matmul(first: Shape, second: Shape) -> Contraction | None:
    """Of the last two dimensions, the others broadcast; None for shapes that do not fit."""
    left = (1, *first) if len(first) == 1 else first
    right = (*second, 1) if len(second) == 1 else second
    if len(left) < 2 or len(right) < 2 or left[-1] != right[-2]:
        return None
    stack = max(left[:-2], right[:-2], key=math.prod)
    return Contraction(math.prod(stack), left[-2], left[-1], right[-1])


def einsum(equation: str, shapes: Sequence[Shape]) -> Contraction | None:
    """Of an equation with two factors, each letter once in each; None for another."""
    left, arrow, out = equation.replace(" ", "").partition("->")
    factors = left.split(",")
    if not arrow or len(factors) != 2 or len(shapes) != 2 or "." in equation:
        return None
    sizes: dict[str, int] = {}
    for letters, shape in zip(factors, shapes, strict=True):
        if len(letters) != len(shape) or len(set(letters)) != len(letters):
            return None
        sizes.update(zip(letters, shape, strict=True))
    first, second = set(factors[0]), set(factors[1])
    if not set(out) <= first | second or not (first & second) >= (first | second) - set(out):
        return None

    def product(letters: set[str]) -> int:
        return math.prod(sizes[letter] for letter in letters)

    kept = set(out)
    return Contraction(
        count=product(first & second & kept),
        rows=product((first - second) & kept),
        inner=product((first & second) - kept),
        columns=product((second - first) & kept),
    )
