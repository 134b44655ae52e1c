"""The report of a difference, as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Iterable

from specgen.diff.report import Report, Row
from specgen.diff.text import clean


def as_markdown(report: Report) -> str:
    """A heading and tables; one sentence for no difference."""
    title = f"### {code(report.old)} → {code(report.new)}"
    if report.same:
        return f"{title}\n\nThe same experiment.\n"
    parts = [title, "**Written**"]
    parts.append(_table("value", report.written, "where") if report.written else "Nothing.")
    if not report.nothing_follows:
        parts.append("**What follows**")
    elif not report.problems:
        parts.append("Nothing follows from it.")
    if report.maps:
        parts.append(_table("part", report.maps, heading="gives (channels@stride) "))
    if report.parameters:
        parts.append(_table("parameters", report.parameters, "change"))
    if report.sizes:
        parts.append(_table("size", report.sizes))
    if report.values:
        parts.append(_table("value", report.values, "from"))
    if report.uses:
        rows = [f"| {code(name)} | {', '.join(map(code, places))} |" for name, places in report.uses]
        parts.append("\n".join(["| variable | taken by |", "|---|---|", *rows]))
    parts += [f"What else follows is not known, since {clean(problem)}." for problem in report.problems]
    return "\n\n".join(parts) + "\n"


def _table(first: str, rows: Iterable[Row], note: str = "", heading: str = "") -> str:
    columns = [first, f"{heading}before", f"{heading}after", *([note] if note else [])]
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    for row in rows:
        cells = [code(row.name), *(code(value) if value is not None else "" for value in (row.old, row.new))]
        if note:
            cells.append(_plain(row.note.removeprefix("from ")))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def code(text: str) -> str:
    """Text between backticks, as a table's cell can hold it."""
    text = clean(text).replace("|", "\\|")
    fence = "``" if "`" in text else "`"
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _plain(text: str) -> str:
    """Text that means nothing to Markdown."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>|#" else c for c in clean(text))
