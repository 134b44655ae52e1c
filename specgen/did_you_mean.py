"""The word that was most likely meant, for hints about misspelt names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def close_to(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like `word`, None when none does."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The hint that names the word that was meant, None when that is anybody's guess."""
    meant = close_to(word, known)
    return f"did you mean `{meant}`?" if meant else None
