"""Splitting codes into digits so that float32 sums of products are exact.

A sum of integers is exact in float32, in any order and with or without fused multiply-adds, while the
absolute values of its terms add up to less than 2^24. Where codes of `bits` bits are too large for that,
`code = sum_i digit_i * 2^(width * i)`: all digits but the top one lie in [0, 2^width), the top one keeps the
sign.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

_EXACT = 2**24
# Beyond three float32 passes, one in float64 is as fast.
_MAX_DIGITS = 3


@dataclass(frozen=True)
class DigitPlan:
    """How sums of products of codes are computed exactly.

    Args:
        count: number of digits; 1 leaves codes as they are.
        width: bits of each digit but the top one.
        double: compute in float64 instead, with one digit.
    """

    count: int
    width: int
    double: bool = False


def plan(weight_sum: int, *, bits: int, largest_digit: int = _EXACT) -> DigitPlan:
    """The fewest digits of codes of `bits` bits for sums whose absolute weights add up to `weight_sum`.

    Args:
        largest_digit: no digit may exceed this.
    """
    for count in range(1, _MAX_DIGITS + 1):
        width = -(-bits // count)
        top = 2 ** (bits - 1 - width * (count - 1))
        largest = top if count == 1 else max(top, 2**width - 1)
        if weight_sum * largest < _EXACT and largest <= largest_digit:
            return DigitPlan(count=count, width=width)
    return DigitPlan(count=1, width=bits, double=True)


def split(x: Tensor, digits: DigitPlan) -> list[Tensor]:
    """The digits of codes, lowest first; float64 where the plan says so."""
    if digits.double:
        return [x.double()]
    parts: list[Tensor] = []
    rest = x
    for _ in range(digits.count - 1):
        above = (rest * 2.0**-digits.width).floor_()
        parts.append(rest.sub(above, alpha=2**digits.width))
        rest = above
    return [*parts, rest]
