"""A code explained, as text for a terminal."""

from __future__ import annotations

import difflib
import shlex
import textwrap

from specgen.codes import entries, group
from specgen.codes.example import FILE, Example, base_text, told

_MOST_LINES = 8


def code_text(code: str, width: int) -> str:
    """Meaning, example and remedy of a code, wrapped at `width` columns."""
    entry = entries()[code]
    lines = [*_wrapped(f"{code}: {entry.meaning}", width), f"({group(code)})", ""]
    if entry.example is not None:
        lines += [f"{example_title(entry.example)}:", "", *_indented(example_lines(entry.example)), ""]
        lines += ["specgen says:", "", *_indented(told(entry.example).text.splitlines()), ""]
    return "\n".join([*lines, *_wrapped(f"What to do: {entry.remedy}", width)])


def codes_text(width: int) -> str:
    """All codes, each with what it means, under the groups that they belong to."""
    lines: list[str] = []
    shown = ""
    for code, entry in entries().items():
        if group(code) != shown:
            shown = group(code)
            lines += ([""] if lines else []) + [f"{code[:2]}xx: {shown}"]
        lines += _wrapped(f"  {code}  {entry.meaning}", width, hang=8)
    return "\n".join(lines)


def example_title(example: Example) -> str:
    """What the lines of an example are."""
    if example.text is not None:
        return "For example, the spec"
    if example.sets:
        return "For example, a right spec with the option"
    return f"For example, in a right spec, `{FILE}`"


def example_lines(example: Example) -> list[str]:
    """The wrong spec: whole when it is short, else what is changed in the right one; and files beside it."""
    lines = _spec_lines(example)
    for name, text in example.files:
        lines += ["", f"# {name}", *text.splitlines()]
    return lines


def _spec_lines(example: Example) -> list[str]:
    if example.text is not None:
        return example.text.splitlines()
    if example.sets:
        return [f"--set {shlex.quote(option)}" for option in example.sets]
    diff = difflib.unified_diff(base_text().splitlines(), example.spec().splitlines(), n=0, lineterm="")
    lines = [line for line in list(diff)[2:] if not line.startswith("@@")]
    if len(lines) <= _MOST_LINES:
        return lines
    return [*lines[: _MOST_LINES - 1], f"{lines[-1][0]}... {len(lines) - _MOST_LINES + 1} more lines"]


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}".rstrip() for line in lines]


def _wrapped(text: str, width: int, hang: int = 0) -> list[str]:
    return textwrap.wrap(
        text, width, subsequent_indent=" " * hang, break_long_words=False, break_on_hyphens=False
    )
