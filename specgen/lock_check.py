"""Whether an experiment may be run as it is: what differs from its lock, and the data that the lock pins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from specgen import __version__
from specgen.emit.lock import LOCK, digest, read_lock, table
from specgen.write import is_plain_name

UNLOCKED = "RUNTIME_UNLOCKED"
"""Variable of the environment that tells a stage what differs; it goes into `run.json`."""
_CODE = (".py", ".pyc", ".so", ".pyd")
_NOT_CODE = ("runs", "__pycache__")
_DIGEST = re.compile(r"(?:sha256:)?[0-9a-f]{8,128}\Z")


def differences(folder: Path, root: Path) -> list[str]:
    """What differs from the lock of the experiment in `folder`, a text each; nothing when it is true.

    Files of the experiment, the specs, schemas and templates that it was built from, the version of specgen
    and of the runtime (they are one package), and Python that the lock does not know: a file beside the
    experiment's own is found first by every `import` of that name. Specs are looked for in `root`.
    """
    from specgen.doctor.locks import lock_checks  # a build asks for `locked_data` alone

    found = [check.text for check in lock_checks(folder, str(folder), root) if check.status == "error"]
    lock = read_lock((folder / LOCK).read_text(encoding="utf-8", errors="replace")) or {}
    version = lock.get("specgen")
    if lock and version != __version__:
        found.append(f"built by specgen {version}, and this is {__version__}")
    found += [
        f"changed since it was built: `{name}`, of a plugin"
        for name, sha in table(lock.get("plugins")).items()
        if not is_plain_name(name) or not (root / name).is_file() or _digest(root / name) != sha
    ]
    strange = sorted(set(_code(folder)) - set(table(lock.get("files"))))
    if strange:
        found.append(f"Python that the lock does not know: {', '.join(f'`{name}`' for name in strange[:4])}")
    return found


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


def _digest(path: Path) -> str:
    return digest(path.read_bytes().decode(errors="replace"))


def _code(folder: Path) -> Iterator[str]:
    """Files that Python could import from the experiment."""
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        if path.suffix in _CODE and not set(_NOT_CODE) & set(relative.parts[:-1]):
            yield relative.as_posix()


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
