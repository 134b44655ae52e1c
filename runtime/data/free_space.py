"""Asking for room on the disk before something large is written."""

import shutil
from pathlib import Path

from runtime.errors import RunError


def check_free_space(folder: Path, needed: int, *, hint: str) -> None:
    """Refuse to begin what will not fit.

    Args:
        folder: on the disk that is meant; it exists.
        needed: bytes, a cautious estimate.
        hint: the next step for a full disk.

    Raises:
        RunError: fewer bytes are free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise RunError(
            f"about {_size(needed)} are needed and {_size(free)} are free", place=str(folder), hint=hint
        )


def _size(number: int) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.1f} MB"
