"""Files that are there whole or not at all: written beside their place, flushed, renamed."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from runtime.errors import RunError, disk_error


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path` by `content`, making its folder; what was there before stays when anything goes wrong.

    Raises:
        RunError: the disk is full, or the place cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        known = disk_error(error)
        reason = known.message if known else error.strerror or str(error)
        size = f"{len(content)} bytes" if len(content) < 1e5 else f"{len(content) / 1e6:.1f} MB"
        raise RunError(
            f"cannot write {size}: {reason}; what was saved before is untouched",
            hint=known.hint if known else None,
            place=str(path),
        ) from error


def write_json(path: Path, value: Any) -> None:
    """Replace `path` by `value` as indented JSON with a final newline; NaN becomes null, as JSON has none."""
    write_bytes(path, (json.dumps(_without_nan(value), indent=2, allow_nan=False) + "\n").encode())


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    if isinstance(value, float) and not (float("-inf") < value < float("inf")):
        return None
    return value
