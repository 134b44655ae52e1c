"""How wide the texts that commands print for people may be."""

from __future__ import annotations

import shutil

_WIDEST = 110
_NARROWEST = 40


def columns() -> int:
    """Columns of the terminal, at most 110: longer lines are hard to read. 100 where there is no terminal."""
    return max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((100, 24)).columns))
