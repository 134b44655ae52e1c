"""Is an experiment still what its lock says: its files, and the specs, schemas and templates behind it?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from specgen import __version__, locate
from specgen.build_command import build_command
from specgen.doctor.check import Check
from specgen.emit.lock import LOCK, digest, read_lock, table
from specgen.emit.templates import read_templates
from specgen.experiment import EXPERIMENTS_FOLDER
from specgen.schemas import read_schemas

_MOST_NAMES = 4
_CODE = (".py", ".pyc", ".so", ".pyd")
_NOT_CODE = ("runs", "__pycache__")
_NAME = re.compile(r"^name: ([a-z][a-z0-9_]*)", re.MULTILINE)
_UNREADABLE = "unreadable"


def lock_checks(folder: Path, shown: str, root: Path) -> Iterator[Check]:
    """Checks of one experiment; specs are looked for in `root`, else among those that come with specgen.

    An error is what `specgen run` refuses, a warning what nothing can be said of. Anybody may have written
    the lock: what it names outside of its folder is not looked at.
    """
    try:
        lock = read_lock((folder / LOCK).read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        lock = None
    except OSError as error:
        yield Check(shown, "error", f"`{LOCK}` cannot be read: {error.strerror}", f"make `{LOCK}` readable")
        return
    if lock is None:
        hint = "build the experiment again with `specgen build`, from the spec that it came from"
        yield Check(shown, "error", f"`{LOCK}` cannot be read", hint)
        return
    command = _command(lock, folder, shown)
    again = f"build it again with `{command}`"
    files = table(lock.get("files"))
    problems = [
        *_files(folder, files, shown, command),
        *_specs(table(lock.get("specs")), root, shown, again),
        _digests("schemas", table(lock.get("schemas")), _schemas(), shown, again),
        _digests("templates", table(lock.get("templates")), _templates(), shown, again),
        *_plugins(table(lock.get("plugins")), root, shown, again),
        _version(lock, shown, again),
        _strange_code(folder, files, shown),
    ]
    found = [check for check in problems if check is not None]
    yield from found
    if not found:
        counts = ", ".join(
            f"{count} {name if count == 1 else name + 's'}"
            for name in ("file", "spec", "schema", "template")
            for count in [len(table(lock.get(f"{name}s")))]
        )
        yield Check(shown, "ok", f"the lock is true: {counts}")


def _command(lock: Mapping[str, Any], folder: Path, shown: str) -> str:
    """How the experiment was built, as far as the lock says it."""
    sets = lock["set"] if isinstance(lock.get("set"), list) else []
    out = None if _is_default_place(folder) else shown
    return build_command(str(lock.get("spec", "SPEC")), [str(text) for text in sets], out)


def _is_default_place(folder: Path) -> bool:
    """Whether a build without `--out` goes to this folder, as far as the resolved spec can be read."""
    try:
        name = _NAME.search((folder / "spec.yaml").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        name = None
    return folder.parent.name == EXPERIMENTS_FOLDER and (name is None or name[1] == folder.name)


def _files(folder: Path, files: Mapping[str, str], shown: str, command: str) -> Iterator[Check]:
    again = f"build it again with `{command}`"
    if not files:
        yield Check(shown, "error", f"`{LOCK}` lists no files", again)
        return
    state = {name: _digest(folder / name) if _plain(name) else None for name in files}
    missing = [name for name in files if state[name] is None]
    unreadable = [name for name in files if state[name] == _UNREADABLE]
    edited = [name for name in files if state[name] not in (None, _UNREADABLE, files[name])]
    if unreadable:
        yield Check(shown, "error", f"cannot be read: {_named(unreadable)}", "make the files readable")
    parts = [
        f"{word}: {_named(names)}"
        for word, names in (("edited by hand", edited), ("missing", missing))
        if names
    ]
    if parts:
        # Files that were edited are overwritten only when that is asked for.
        hint = f"move edits to the spec, then `{command} --force`" if edited else again
        yield Check(shown, "error", "; ".join(parts), hint)


def _specs(specs: Mapping[str, str], root: Path, shown: str, again: str) -> Iterator[Check]:
    changed, gone = [], []
    for name, sha in specs.items():
        states = [_digest(place / name) for place in (root, locate.data_root()) if _plain(name)]
        state = next((state for state in states if state is not None), None)
        if state is None:
            gone.append(name)
        elif state != sha:
            changed.append(name)
    if changed:
        yield Check(shown, "error", f"changed since it was built: {_named(changed)}", again)
    if gone:
        hint = "a spec inside the project is checked: build from one"
        yield Check(shown, "warning", f"not here, so that nothing can be said of it: {_named(gone)}", hint)


def _plugins(plugins: Mapping[str, str], root: Path, shown: str, again: str) -> Iterator[Check]:
    for name, sha in plugins.items():
        if not _plain(name) or _digest(root / name) != sha:
            yield Check(shown, "error", f"changed since it was built: `{name}`, of a plugin", again)


def _digests(
    what: str, locked: Mapping[str, str], today: Mapping[str, str], shown: str, again: str
) -> Check | None:
    changed = [name for name, sha in locked.items() if today.get(name) != sha]
    if not changed:
        return None
    return Check(shown, "error", f"{what} changed since it was built: {_named(changed)}", again)


def _version(lock: Mapping[str, Any], shown: str, again: str) -> Check | None:
    """specgen and the runtime are one package: another version trains in another way."""
    version = lock.get("specgen")
    if version == __version__:
        return None
    return Check(shown, "error", f"built by specgen {version}, and this is {__version__}", again)


def _strange_code(folder: Path, files: Mapping[str, str], shown: str) -> Check | None:
    """A file beside the experiment's own is found first by every `import` of that name."""
    strange = sorted(set(_code(folder)) - set(files))
    if not strange:
        return None
    hint = f"move {'it' if len(strange) == 1 else 'them'} out of the folder"
    return Check(shown, "error", f"Python that the lock does not know: {_named(strange)}", hint)


def _code(folder: Path) -> Iterator[str]:
    """Files that Python could import from the experiment."""
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        if path.suffix in _CODE and not set(_NOT_CODE) & set(relative.parts[:-1]):
            yield relative.as_posix()


def _schemas() -> Mapping[str, str]:
    return read_schemas(locate.schemas_folder()).digests


def _templates() -> Mapping[str, str]:
    return read_templates(locate.templates_folder()).digests()


def _digest(path: Path) -> str | None:
    """None where there is no file; one that cannot be read has no digest of a lock either."""
    try:
        return digest(path.read_bytes().decode(errors="replace")) if path.is_file() else None
    except OSError:
        return _UNREADABLE


def _plain(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\0" not in name


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(f"`{name}`" for name in sorted(names)[:_MOST_NAMES]) + more
