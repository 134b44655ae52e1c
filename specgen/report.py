"""Diagnostics as text with excerpts, as JSON, and as annotations of GitHub Actions."""

from __future__ import annotations

import json
from collections.abc import Sequence

from specgen.diagnostic import Diagnostic, Span
from specgen.sources import Sources
from specgen.text_width import text_width

_MAX_LINE = 140
_MOST = 100
"""Diagnostics that a person is shown at once."""


def rendered(diagnostics: Sequence[Diagnostic], sources: Sources, style: str = "text") -> str:
    """All diagnostics in file order as `text`, `json` or `github`, ending in a newline."""
    ordered = sorted(diagnostics, key=lambda diagnostic: diagnostic.sort_key)
    if style == "json":
        return (
            json.dumps([_as_dict(diagnostic) for diagnostic in ordered], indent=2, ensure_ascii=False) + "\n"
        )
    if style == "github":
        return "".join(_annotation(diagnostic) + "\n" for diagnostic in ordered)
    text = "\n".join(_text(diagnostic, sources) for diagnostic in ordered[:_MOST])
    more = len(ordered) - _MOST
    return text + (f"\nand {more} more; `--format json` shows all\n" if more > 0 else "")


# -- text ----------------------------------------------------------------------------------------------------


def _text(diagnostic: Diagnostic, sources: Sources) -> str:
    lines = [_clean(f"{diagnostic.span.place}: error[{diagnostic.code}]: {diagnostic.message}")]
    marks = [(diagnostic.span, "^", ""), *((span, "-", text) for span, text in diagnostic.related)]
    shown = [mark for mark in marks if sources.line(mark[0]) is not None]
    width = max((len(str(span.line)) for span, _, _ in shown), default=0)
    for file in dict.fromkeys(span.file for span, _, _ in shown):
        here = [mark for mark in shown if mark[0].file == file]
        if file != diagnostic.span.file:
            first = min(span for span, _, _ in here)
            lines.append(_clean(f"{' ' * width} --> {first.place}"))
        for number in sorted({span.line for span, _, _ in here}):
            on_line = sorted(mark for mark in here if mark[0].line == number)
            lines += _excerpt(sources.line(on_line[0][0]) or "", on_line, number, width)
    if diagnostic.hint:
        lines.append(_clean(f"hint: {diagnostic.hint}"))
    return "\n".join(lines) + "\n"


def _clean(text: str) -> str:
    """As many characters, without those that move the cursor, change colours or reorder others."""
    return "".join(c if c.isprintable() else " " if c == "\t" else "?" for c in text)


def _excerpt(line: str, marks: list[tuple[Span, str, str]], number: int, width: int) -> list[str]:
    """The line as written and below it one row for each mark; of a long line a part around each mark."""
    if len(line) > _MAX_LINE and len(marks) > 1:
        return [row for mark in marks for row in _excerpt(line, [mark], number, width)]
    start = 0
    if len(line) > _MAX_LINE:
        start = max(0, min(marks[0][0].column - 1 - _MAX_LINE // 4, len(line) - _MAX_LINE))
    end = start + _MAX_LINE
    before, after = ("…" if start else ""), ("…" if end < len(line) else "")
    rows = [f"{number:>{width}} | {before}{_clean(line[start:end])}{after}".rstrip()]
    for span, sign, text in marks:
        left = _clean(line[start : span.column - 1])
        marked = _clean(line[span.column - 1 : min(span.end_column - 1, end)])
        pad = " " * (len(before) + text_width(left))
        rows.append(f"{' ' * width} | {pad}{sign * max(text_width(marked), 1)} {text}".rstrip())
    return rows


# -- machines ------------------------------------------------------------------------------------------------


def _as_dict(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "code": diagnostic.code,
        "message": diagnostic.message,
        **_place(diagnostic.span),
        "related": [{**_place(span), "message": text} for span, text in diagnostic.related],
        "hint": diagnostic.hint,
    }


def _place(span: Span) -> dict[str, object]:
    return {"file": span.file, "line": span.line, "column": span.column, "end_column": span.end_column}


def _annotation(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    text = diagnostic.message + (f"\nhint: {diagnostic.hint}" if diagnostic.hint else "")
    place = f"file={_property(span.file)},line={span.line},col={span.column},endColumn={span.end_column}"
    return f"::error {place},title={_property(diagnostic.code)}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
