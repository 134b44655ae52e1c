"""Every code of a diagnostic, explained: the source of `specgen explain E201` and of the page of codes."""

from __future__ import annotations

from specgen.codes.entry import Entry
from specgen.codes.reading import READING
from specgen.codes.rules import RULE_ENTRIES
from specgen.codes.shape import SHAPE
from specgen.codes.writing import WRITING

__all__ = ["GROUPS", "Entry", "entries", "group"]

GROUPS = {
    "E0": "reading",
    "E1": "shape",
    "E2": "values that contradict what they follow from",
    "E3": "rules between values",
    "E4": "what cannot be written as Python",
}


def entries() -> dict[str, Entry]:
    """All codes in order, each with what is said of it."""
    return dict(sorted({**READING, **SHAPE, **RULE_ENTRIES, **WRITING}.items()))


def group(code: str) -> str:
    """What the first digit of a code stands for."""
    return GROUPS[code[:2]]
