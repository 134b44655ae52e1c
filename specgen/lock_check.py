"""Whether an experiment may be run as it is: what differs from its lock, and the data that the lock pins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from specgen.emit.lock import LOCK, read_lock, table

UNLOCKED = "RUNTIME_UNLOCKED"
"""Variable of the environment that tells a stage what differs; it goes into `run.json`."""
UNCHECKED = "RUNTIME_UNCHECKED"
"""The same for what could not be looked at, as a spec that is not in the project."""
_DIGEST = re.compile(r"(?:sha256:)?[0-9a-f]{8,128}\Z")


def differences(folder: Path, root: Path) -> list[str]:
    """What differs from the lock of the experiment in `folder`, a text each; nothing when it is true.

    Files of the experiment, the specs, schemas, templates and plugins that it was built from, the version of
    specgen, and Python that the lock does not know. Specs and plugins are looked for in `root`.
    """
    from specgen.doctor.locks import lock_checks  # a build asks for `locked_data` alone

    return [check.text for check in lock_checks(folder, str(folder), root) if check.status == "error"]


def data_differences(locked: Mapping[str, str], today: Mapping[str, str]) -> list[str]:
    """Packs with another digest than the lock pins, by loader; one that is missing is told by the stage."""
    return [
        f"the data of `{name}` are {_short(today[name])}, and the lock has {_short(digest)}"
        for name, digest in sorted(locked.items())
        if name in today and today[name] != digest
    ]


def locked_data(folder: Path) -> dict[str, str]:
    """Digests of the packs that the lock in `folder` pins, by loader; nothing where it pins none.

    Anybody may have written the lock: what is no digest is left out.
    """
    try:
        text = (folder / LOCK).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    entries = table((read_lock(text) or {}).get("data"))
    return {name: digest for name, digest in entries.items() if _DIGEST.match(digest)}


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
