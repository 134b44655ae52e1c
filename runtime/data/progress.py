"""How long work on a dataset tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int, str], None]
"""Called with (done, total, a word on what is being done)."""


def silent(done: int, total: int, text: str) -> None:
    """The progress that nobody looks at."""
