"""How wide a text is on a screen, for carets under it and for the line length of generated code."""

from __future__ import annotations

import unicodedata


def text_width(text: str) -> int:
    """Columns of a monospaced terminal that `text` takes: 2 for wide characters, 0 for combining marks."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )
