"""One derived value: filled in where the spec leaves it out, compared where the spec writes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from specgen.diagnostic import Diagnostic, Span
from specgen.document import Node, Origin, Path, dotted
from specgen.inference.plugin_maps import takes
from specgen.value_text import value_text


@dataclass(frozen=True, slots=True)
class Derived:
    """What a value of the spec follows from.

    Args:
        path: where the value belongs.
        value: what it must be, as plain data.
        source: where it comes from, as in "# from model.backbone".
        owner: the part in words, as in "it is taken from the backbone".
        says: what that part has or gives: completes "... is [40, 320], but the backbone ...".
        related: places that show the reason, each with a few words.
        checked: False where another written value is a choice, which rules judge.
    """

    path: Path
    value: Any
    source: str
    owner: str
    says: str
    related: tuple[tuple[Span, str], ...] = ()
    checked: bool = True


def apply(document: Node, facts: Iterable[Derived]) -> tuple[Node, tuple[Diagnostic, ...]]:
    """The document with what was left out filled in, and what is wrong about what was written."""
    diagnostics: list[Diagnostic] = []
    for fact in facts:
        if not takes(document, fact.path):
            continue
        node = document.get(*fact.path)
        if node is None or not node.written:
            document = document.with_value(fact.path, fact.value, Origin.derived(fact.source))
        elif fact.checked and not same(node.plain(), fact.value):
            diagnostics.append(_disagreement(fact, node))
    return document, tuple(diagnostics)


def same(written: Any, derived: Any) -> bool:
    """Equality in which the keys of maps are text, as in a spec."""
    if isinstance(derived, dict):
        return isinstance(written, dict) and written == {str(key): value for key, value in derived.items()}
    if isinstance(derived, (list, tuple)):
        return isinstance(written, list) and written == list(derived)
    return (
        type(written) is not bool and written == derived
        if not isinstance(derived, bool)
        else written is derived
    )


def _disagreement(fact: Derived, node: Node) -> Diagnostic:
    key = fact.path[-1]
    return Diagnostic(
        code="E201",
        message=f"`{dotted(fact.path)}` is {value_text(node.plain())}, but {fact.owner} {fact.says}",
        span=node.span,
        related=fact.related,
        hint=f"leave `{key}` out: it is taken from {fact.owner}",
    )
