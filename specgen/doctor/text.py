"""The findings, as text for a terminal and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from dataclasses import asdict

from specgen.doctor.check import Check
from specgen.printable import printable

_LABEL = 9


def as_text(checks: list[Check], width: int) -> str:
    """Findings by section; packages that are as they should be are counted together."""
    lines: list[str] = []
    for section in dict.fromkeys(check.section for check in checks):
        here = [check for check in checks if check.section == section]
        lines += ([""] if lines else []) + [section]
        quiet = sum(check.quiet and check.status == "ok" for check in here)
        for check in here:
            if check.quiet and check.status == "ok":
                if quiet:
                    lines += _row("ok", f"{quiet} packages in versions that specgen asks for", width)
                    quiet = 0
                continue
            lines += _row(check.status, check.text, width)
            if check.hint:
                lines += _row("", f"hint: {check.hint}", width)
    counts = Counter(check.status for check in checks)
    summary = ", ".join(
        f"{counts[status]} {status}{'s' if counts[status] != 1 else ''}"
        for status in ("error", "warning")
        if counts[status]
    )
    return "\n".join([*lines, "", summary or "all is well"]) + "\n"


def as_json(checks: list[Check]) -> str:
    """A list of objects with `section`, `status`, `text` and `hint`."""
    rows = [{key: value for key, value in asdict(check).items() if key != "quiet"} for check in checks]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def _row(label: str, text: str, width: int) -> list[str]:
    hang = " " * (_LABEL + 2)
    return textwrap.wrap(
        f"  {label:<{_LABEL}}{printable(text)}",
        width,
        subsequent_indent=hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
