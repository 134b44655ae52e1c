"""`experiment.lock`: what an experiment was built from and which files belong to it, as TOML."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

LOCK = "experiment.lock"
MAX_LENGTH = 1_000_000
"""Characters of a lock that is read; a real one has some ten thousand."""


def digest(text: str) -> str:
    """SHA-256 of a text as it is written to disk."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def lock_text(
    *, version: str, spec: str, sets: tuple[str, ...], tables: Mapping[str, Mapping[str, str]]
) -> str:
    """The lock: specgen's version, the spec, the `--set` values, and tables of digests by file name."""
    lines = [
        "# Written by specgen: what this experiment was built from, and the files that belong to it.",
        f"specgen = {_string(version)}",
        f"spec = {_string(spec)}",
        f"set = [{', '.join(_string(text) for text in sets)}]",
    ]
    for table, entries in tables.items():
        lines += [
            "",
            f"[{table}]",
            *(f"{_string(name)} = {_string(entries[name])}" for name in sorted(entries)),
        ]
    return "\n".join(lines) + "\n"


def locked_files(text: str) -> dict[str, str]:
    """The experiment's files and their digests as a lock lists them, none when it cannot be read.

    Anybody may have written the lock: the names are not to be trusted.
    """
    return table((read_lock(text) or {}).get("files"))


def read_lock(text: str) -> dict[str, object] | None:
    """What a lock says, whoever wrote it; None when it is no TOML or too long for a lock."""
    import tomllib  # takes longer than all else that a build imports of the standard library

    if len(text) > MAX_LENGTH:
        return None
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):  # a number of thousands of digits is no TOMLDecodeError
        return None


def table(value: object) -> dict[str, str]:
    """The texts by name in what should be a table of them."""
    return (
        {name: text for name, text in value.items() if isinstance(text, str)}
        if isinstance(value, dict)
        else {}
    )


def _string(text: str) -> str:
    """A TOML basic string: JSON's escapes are a part of TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
