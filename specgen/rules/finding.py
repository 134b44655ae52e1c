"""What a rule says: a diagnostic without its code, which the table of rules knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from specgen.diagnostic import Span
from specgen.document import Node


@dataclass(frozen=True, slots=True)
class Finding:
    """One break of a rule; the fields are those of `Diagnostic`."""

    message: str
    span: Span
    related: tuple[tuple[Span, str], ...] = ()
    hint: str | None = None


Rule = Callable[[Node], Iterator[Finding]]
"""Looks at a whole document, valid and filled, and yields every break of the rule in its docstring."""
