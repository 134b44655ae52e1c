"""The report of a difference, as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from specgen.diff.report import Report, Row
from specgen.text_width import text_width


def as_text(report: Report, width: int) -> str:
    """Two sections: what was written, and what follows; empty for no difference."""
    if report.same:
        return ""
    lines = [f"{clean(report.old)} -> {clean(report.new)}", ""]
    lines += ["Written", *_rows(report.written, width)] if report.written else ["Written: nothing"]
    if not report.nothing_follows:
        lines += ["", "What follows"]
    elif not report.problems:
        lines += ["", "Nothing follows from it"]
    for title, rows in (
        ("feature maps (channels@stride)", report.maps),
        ("parameters", report.parameters),
        ("sizes", report.sizes),
        ("values", report.values),
    ):
        if rows:
            lines += [f"  {title}", *(f"  {line}" for line in _rows(rows, width - 2))]
    if report.uses:
        lines.append("  values that are taken from variables")
        for name, places in report.uses:
            lines += _wrapped(f"    {name}: {', '.join(places)}", width, hang=6)
    for problem in report.problems:
        lines += ["", *_wrapped(f"What else follows is not known, since {clean(problem)}", width, hang=2)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _rows(rows: list[Row], width: int) -> Iterator[str]:
    """One line each where it fits, notes below each other when all of them fit so; else before and after
    below the name."""
    flat = [_flat(row) for row in rows]
    fits = [text_width(f"{line}  {row.note}") <= width for row, line in zip(rows, flat, strict=True)]
    shown = [(line, row.note) for row, line, fit in zip(rows, flat, fits, strict=True) if fit]
    column = max((text_width(line) for line, _ in shown), default=0)
    if any(column + 2 + text_width(note) > width for _, note in shown):
        column = 0
    for row, line, fit in zip(rows, flat, fits, strict=True):
        note = clean(row.note)
        if fit:
            yield f"{line}{' ' * max(column - text_width(line), 0)}  {note}".rstrip()
            continue
        yield f"  {clean(row.name)}:  {note}".rstrip()
        for sign, value in (("-", row.old), ("+", row.new)):
            if value is not None:
                yield from _wrapped(f"    {sign} {clean(value)}", width, hang=8)


def _flat(row: Row) -> str:
    name, old, new = clean(row.name), clean(row.old or ""), clean(row.new or "")
    if row.old is None:
        return f"  {name}: added {new}"
    return f"  {name}: removed {old}" if row.new is None else f"  {name}: {old} -> {new}"


def clean(text: str) -> str:
    """The text without characters that move the cursor or change colours."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _wrapped(text: str, width: int, hang: int) -> list[str]:
    return textwrap.wrap(
        text, width, subsequent_indent=" " * hang, break_long_words=False, break_on_hyphens=False
    )
