"""Significant bits of what a node rescales by."""

from __future__ import annotations

from collections.abc import Iterator

from runtime.hbir.graph import Node

_ALL_BITS = 15


def significant_bits(node: Node) -> int:
    """Bits from the first to the last one of the widest multiplier: 1 for a power of two, 0 without any."""
    widest = max((_bits(multiplier) for multiplier in _multipliers(node)), default=0)
    if "residual_multiplier" not in node.constants:
        return widest
    # A residual enters the sum at the convolution's shift. Where multipliers have all 15 bits, it takes those
    # that the shift gives it, which may be more.
    residual = max(_bits(multiplier) for multiplier in node.codes("residual_multiplier").tolist())
    return max(widest, min(residual, _ALL_BITS))


def _multipliers(node: Node) -> Iterator[int]:
    if "multiplier" in node.attributes:
        yield node.integer("multiplier")
    if "multipliers" in node.attributes:
        yield from node.integers("multipliers")
    if "multiplier" in node.constants:
        yield from node.codes("multiplier").tolist()


def _bits(multiplier: int) -> int:
    # `m & -m` is the lowest bit that is set.
    return (abs(multiplier) // (multiplier & -multiplier)).bit_length() if multiplier else 0
