"""What a rule of the checker says about a node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runtime.bpu.march_data import Numbers, Quantity, Word

Level = Literal["unsupported", "cpu", "warning", "note"]
LEVELS: tuple[Level, ...] = ("unsupported", "cpu", "warning", "note")
"""From what stops a network to what is good to know."""


@dataclass(frozen=True)
class Finding:
    """One rule, one node.

    Args:
        level: `unsupported` or `cpu` where it keeps the node from the BPU.
        message: with the value found and the limit, without the node's name.
        measure: of a limit in the march file, else None.
        found: the value, where there is one.
        limit: what it was held against, where there is one.
        provenance: of the limit.
        why: the limit's source, derivation or reason.
    """

    level: Level
    message: str
    measure: str | None = None
    found: float | None = None
    limit: float | tuple[int, ...] | None = None
    provenance: str | None = None
    why: str | None = None


def against(
    level: Level,
    message: str,
    bound: Quantity | Numbers | Word,
    *,
    found: float | None = None,
    measure: str | None = None,
) -> Finding:
    """A finding against a number or word of the march file, which is named as its source."""
    text = f"{message} ({bound.provenance}: {bound.why})"
    limit = None if isinstance(bound, Word) else bound.value
    return Finding(level, text, measure, found, limit, bound.provenance, bound.why)
