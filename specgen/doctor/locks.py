"""Is an experiment still what its lock says: its files, and the specs, schemas and templates behind it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from specgen import __version__, locate
from specgen.doctor.check import Check
from specgen.emit.lock import LOCK, digest, read_lock
from specgen.emit.templates import read_templates
from specgen.schemas import read_schemas

_MOST_NAMES = 4


def lock_checks(folder: Path, shown: str, root: Path) -> Iterator[Check]:
    """Checks of one experiment; specs are looked for in `root`, else among those that come with specgen.

    Anybody may have written the lock: what it names outside of its folder is not looked at.
    """
    lock = _lock(folder)
    if lock is None:
        yield Check(shown, "error", f"`{LOCK}` cannot be read", "build the experiment again")
        return
    build = _build_command(lock)
    problems = [
        _files(folder, _table(lock, "files"), shown, build),
        _specs(_table(lock, "specs"), root, shown, build),
        _digests("schemas", _table(lock, "schemas"), _schemas(), shown, build),
        _digests("templates", _table(lock, "templates"), _templates(), shown, build),
        _version(lock, shown, build),
    ]
    found = [check for check in problems if check is not None]
    yield from found
    if not found:
        counts = ", ".join(
            f"{len(_table(lock, name))} {name}" for name in ("files", "specs", "schemas", "templates")
        )
        yield Check(shown, "ok", f"the lock is true: {counts}")


def _lock(folder: Path) -> dict[str, object] | None:
    try:
        return read_lock((folder / LOCK).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def _table(lock: Mapping[str, Any], name: str) -> dict[str, str]:
    table = lock.get(name)
    entries = table.items() if isinstance(table, dict) else ()
    return {key: value for key, value in entries if isinstance(value, str)}


def _build_command(lock: Mapping[str, Any]) -> str:
    """How the experiment was built, as far as the lock says it."""
    sets = [str(text) for text in lock.get("set", [])] if isinstance(lock.get("set"), list) else []
    options = "".join(f" --set '{text}'" for text in sets)
    return f"`specgen build {lock.get('spec', 'SPEC')}{options}`"


def _with_force(build: str) -> str:
    """Files that were edited are overwritten only when that is asked for."""
    return f"{build[:-1]} --force`"


def _files(folder: Path, table: dict[str, str], shown: str, build: str) -> Check | None:
    if not table:
        return Check(shown, "error", f"`{LOCK}` lists no files", f"build it again with {build}")
    edited, missing = [], []
    for name, sha in table.items():
        path = folder / name
        if not _plain(name) or not path.is_file():
            missing.append(name)
        elif _digest(path) != sha:
            edited.append(name)
    if not edited and not missing:
        return None
    parts = [
        f"{word}: {_named(names)}"
        for word, names in (("edited by hand", edited), ("missing", missing))
        if names
    ]
    hint = f"move edits to the spec, then {_with_force(build)}" if edited else f"build it again with {build}"
    return Check(shown, "error", "; ".join(parts), hint)


def _specs(table: dict[str, str], root: Path, shown: str, build: str) -> Check | None:
    changed, gone = [], []
    for name, sha in table.items():
        places = [place / name for place in (root, locate.data_root()) if _plain(name)]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            gone.append(name)
        elif _digest(path) != sha:
            changed.append(name)
    if changed:
        return Check(
            shown, "error", f"changed since it was built: {_named(changed)}", f"build it again with {build}"
        )
    if gone:
        return Check(shown, "warning", f"not here, so that nothing can be said of it: {_named(gone)}")
    return None


def _digests(
    what: str, table: dict[str, str], today: Mapping[str, str], shown: str, build: str
) -> Check | None:
    changed = [name for name, sha in table.items() if today.get(name) != sha]
    if not changed:
        return None
    text = f"{what} changed since it was built: {_named(changed)}"
    return Check(shown, "error", text, f"build it again with {build}")


def _version(lock: Mapping[str, Any], shown: str, build: str) -> Check | None:
    version = lock.get("specgen")
    if version == __version__:
        return None
    text = f"built by specgen {version}, and this is {__version__}"
    return Check(shown, "warning", text, f"build it again with {build}")


def _schemas() -> Mapping[str, str]:
    return read_schemas(locate.schemas_folder()).digests


def _templates() -> Mapping[str, str]:
    return read_templates(locate.templates_folder()).digests()


def _digest(path: Path) -> str:
    return digest(path.read_bytes().decode(errors="replace"))


def _plain(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\0" not in name


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(f"`{name}`" for name in sorted(names)[:_MOST_NAMES]) + more
