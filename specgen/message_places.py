"""Messages where the mistake was made, once each, for values that are used far from where they are written.

A wrong variable is wrong in each place that uses it, which would be as many messages. Where all of them are
about the same value, one is left, at the place where that value is written; where only one use of several is
wrong, the use is what is wrong. And of two values that contradict each other, the one that is written last,
in a `--set` or in a spec that extends the other one's, is taken for the mistake.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from specgen.diagnostic import Diagnostic, Span
from specgen.document import Node

_VALUE = "the variable's value"


def placed(diagnostics: Iterable[Diagnostic], root: Node, files: Sequence[str]) -> list[Diagnostic]:
    """The diagnostics of a step, each where its mistake was made; `files` are the spec's, those that override
    others first."""
    rank = {file: index for index, file in enumerate(files)}
    return [_at_the_newest(diagnostic, rank) for diagnostic in _told_once(diagnostics, root)]


def _at_the_newest(diagnostic: Diagnostic, rank: dict[str, int]) -> Diagnostic:
    """The diagnostic at the value of two contradicting ones that overrides a part of the other's spec."""
    if diagnostic.code[1] not in "23" or not diagnostic.related:
        return diagnostic
    newest, text = min(diagnostic.related, key=lambda item: rank.get(item[0].file, len(rank)))
    if rank.get(newest.file, len(rank)) >= rank.get(diagnostic.span.file, len(rank)):
        return diagnostic
    others = tuple(item for item in diagnostic.related if item != (newest, text))
    remark = "used here" if text == _VALUE else "contradicts it"
    return replace(diagnostic, span=newest, related=((diagnostic.span, remark), *others))


def _told_once(diagnostics: Iterable[Diagnostic], root: Node) -> list[Diagnostic]:
    """The diagnostics with those about one variable's value put together."""
    result: list[Diagnostic] = []
    groups: dict[tuple[Span, str, str], list[Diagnostic]] = {}
    for diagnostic in dict.fromkeys(diagnostics):
        if diagnostic.span.written is None:
            result.append(_related_as_written(diagnostic))
        else:
            key = diagnostic.span.written, diagnostic.code, diagnostic.message.partition("` ")[2]
            groups.setdefault(key, []).append(diagnostic)
    uses = _uses(root) if groups else {}
    for (written, _, _), group in groups.items():
        wrong = {diagnostic.span for diagnostic in group}
        # Rules look at some uses of a value only; what they say of it alone holds for all of them.
        is_the_value = group[0].code.startswith("E3") and (len(wrong) > 1 or not group[0].related)
        if wrong == uses[written] or is_the_value:
            result.append(_at_the_value(group[0], written, len(uses[written])))
        else:
            result += [_at_the_use(diagnostic, written) for diagnostic in group]
    return result


def _uses(root: Node) -> dict[Span, set[Span]]:
    """By the place of a value that was written under `vars`: where it is used."""
    uses: dict[Span, set[Span]] = {}
    for _, node in root.walk():
        if node.span.written is not None:
            uses.setdefault(node.span.written, set()).add(node.span)
    return uses


def _at_the_value(diagnostic: Diagnostic, written: Span, number: int) -> Diagnostic:
    use = replace(diagnostic.span, written=None)
    more = f", and in {number - 1} more place{'s' if number > 2 else ''}" if number > 1 else ""
    moved = _related_as_written(diagnostic)
    others = tuple(item for item in moved.related if item[0] != written)
    return replace(moved, span=written, related=((use, f"used here{more}"), *others))


def _at_the_use(diagnostic: Diagnostic, written: Span) -> Diagnostic:
    moved = _related_as_written(diagnostic)
    if any(span == written for span, _ in moved.related):
        return moved
    return replace(moved, related=(*moved.related, (written, _VALUE)))


def _related_as_written(diagnostic: Diagnostic) -> Diagnostic:
    """What else it has to do with, at the places where that is written."""
    return replace(
        diagnostic, related=tuple((span.written or span, text) for span, text in diagnostic.related)
    )
