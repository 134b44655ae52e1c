"""Counts in few characters."""

from __future__ import annotations

_UNITS = ("k", "M", "G", "T")


def short_count(number: int) -> str:
    """Three digits: 0, 999, 1.23k, 12.3k, 4.56M, 1.03G."""
    if number < 1000:
        return str(number)
    size, power = number / 1000, 0
    while size >= 999.5 and power < len(_UNITS) - 1:
        size, power = size / 1000, power + 1
    digits = 2 if size < 9.995 else 1 if size < 99.95 else 0
    return f"{size:.{digits}f}{_UNITS[power]}"
