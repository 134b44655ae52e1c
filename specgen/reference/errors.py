"""The page of all codes: what each means, an example with its exact message, what to do."""

from __future__ import annotations

from specgen.codes import GROUPS, entries, group
from specgen.codes.entry import Entry
from specgen.codes.example import FILE, base_text, told
from specgen.codes.text import example_lines, example_title
from specgen.reference.markdown import block, page

_INTRODUCTION = f"""\
`specgen explain CODE` prints the same. Where an example changes words of a right spec, that is the `{FILE}`
at the end of this page."""


def errors_page() -> str:
    """The text of `errors.md`."""
    parts = ["# Codes", _INTRODUCTION]
    for prefix, title in GROUPS.items():
        parts.append(f"## {prefix}xx: {title}")
        for code, entry in entries().items():
            if group(code) == title:
                parts += _entry(code, entry)
    return page(*parts, "## The right spec", block(base_text(), "yaml"))


def _entry(code: str, entry: Entry) -> list[str]:
    parts = [f"### {code}", entry.meaning]
    if entry.example is not None:
        language = "yaml" if entry.example.text is not None else "diff" if entry.example.edits else "sh"
        lines = "\n".join(example_lines(entry.example))
        parts += [f"{example_title(entry.example)}:", block(lines, language)]
        parts += [block(told(entry.example).text, "text")]
    return [*parts, f"What to do: {entry.remedy}"]
