"""How large the sums of a node can get, whatever its input."""

from __future__ import annotations

import math
from dataclasses import dataclass

from runtime.bpu.checker.subject import Subject
from runtime.hbir.ops.weighted import float32_digits, largest_accumulator, weight_sum

_RESIZE_FRACTION_BITS = 16
EXACT_IN_FLOAT32 = 2**24
"""Integers up to here are exact in float32, in whose sums our own executors compute."""


@dataclass(frozen=True)
class SumRange:
    """Bounds of a sum of products before it is rescaled.

    Args:
        lowest: no sum is below.
        highest: no sum is above.
        float32_passes: digits that the input is split into so that float32 sums of products are exact; 1
            below 2^24, None where our executors take float64 or int64.
    """

    lowest: int
    highest: int
    float32_passes: int | None

    @property
    def largest(self) -> int:
        """Largest absolute value."""
        return max(-self.lowest, self.highest)

    @property
    def bits(self) -> int:
        """Of the shortest two's complement number that holds every sum."""
        return 1 + max((-self.lowest - 1).bit_length() if self.lowest < 0 else 0, self.highest.bit_length())


def largest_sum(subject: Subject) -> SumRange | None:
    """The bounds of a node's sums; None for what rescales or moves single codes.

    `add` and `concat` rescale each code before anything is summed: no accumulator holds it.
    """
    node, inputs = subject.node, subject.inputs
    bits = inputs[0].bits
    match node.op:
        case "conv" | "linear":
            bound = largest_accumulator(node, bits)
            passes, _ = float32_digits(weight_sum(node.codes("weight")), bits)
            return SumRange(-bound, bound, passes)
        case "view_sum":
            return _of_codes(bits, node.integer("num_views"))
        case "avg_pool":
            return _of_codes(bits, math.prod(node.pair("kernel")))
        case "resize_bilinear":
            return _of_codes(bits, 2**_RESIZE_FRACTION_BITS)
        case "grid_sample":
            return _of_codes(bits, 4 ** node.integer("fraction_bits"))
        case "multiply":
            first, second = (2 ** (tensor.bits - 1) for tensor in inputs)
            return _with_passes(min(-first * (second - 1), -second * (first - 1)), first * second)
        case _:
            return None


def _of_codes(bits: int, weight: int) -> SumRange:
    """Codes whose weights are not negative and add up to `weight`."""
    return _with_passes(-(2 ** (bits - 1)) * weight, (2 ** (bits - 1) - 1) * weight)


def _with_passes(lowest: int, highest: int) -> SumRange:
    return SumRange(lowest, highest, 1 if max(-lowest, highest) < EXACT_IN_FLOAT32 else None)
