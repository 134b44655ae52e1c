"""Text that somebody else wrote, for a terminal or a comment."""

from __future__ import annotations


def printable(text: str) -> str:
    """As many characters, `?` for those that move the cursor, change colours, end the line or reorder it."""
    return "".join(c if c.isprintable() else "?" for c in text)
