"""The types that a node asks for, and those that the march grants it."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.bpu.checker.subject import Subject


@dataclass(frozen=True)
class Widths:
    """Bits of what an operation reads and writes.

    Args:
        requested: by the graph: (input, output).
        granted: by the march: the same where it has them, else the widest narrower ones, else the narrowest
            it has; None where no unit does the operation.
    """

    requested: tuple[int, int]
    granted: tuple[int, int] | None


def widths_of(subject: Subject) -> Widths:
    """Requested and granted widths of a node."""
    requested = (subject.operation.in_bits, subject.operation.out_bits)
    rule = subject.rule
    if rule is None or not subject.has_unit:
        return Widths(requested, None)
    return Widths(
        requested, (_nearest(requested[0], rule.in_bits.value), _nearest(requested[1], rule.out_bits.value))
    )


def _nearest(bits: int, allowed: tuple[int, ...]) -> int:
    return max((width for width in allowed if width <= bits), default=min(allowed))
