"""The last step: generated texts onto the disk, changing what differs and removing only what was ours."""

from __future__ import annotations

import difflib
import errno
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from specgen.emit.lock import LOCK, MAX_LENGTH, digest, locked_files

RUNS = "runs"


class WriteError(Exception):
    """The experiment cannot be written; nothing was changed unless the text says so."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Changes:
    """What writing does to a folder: names relative to it, sorted.

    `edited` are files of an earlier build that are not made any more but were changed since: they stay.
    `overwritten` are those of `written` that hold something else than the lock says: what a person wrote into
    them is lost.
    """

    written: tuple[str, ...]
    removed: tuple[str, ...]
    edited: tuple[str, ...]
    overwritten: tuple[str, ...] = ()

    @property
    def none(self) -> bool:
        return not self.written and not self.removed


def planned(folder: Path, files: Mapping[str, str]) -> Changes:
    """What has to change so that `folder` holds `files`.

    Raises:
        WriteError: when the folder holds something else than an experiment, or cannot be read.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise WriteError(f"`{folder}` is not a folder", "give another folder with `--out`")
        if folder.is_dir() and not (folder / LOCK).is_file() and any(folder.iterdir()):
            raise WriteError(
                f"`{folder}` is not empty and has no `{LOCK}`: it is not an experiment",
                "give an empty or new folder with `--out`",
            )
        for name in files:
            _refuse_links_out(folder, name)
        written = tuple(
            sorted(name for name, text in files.items() if _on_disk(folder, name) != text.encode())
        )
        removed, edited = _left_over(folder, files)
        overwritten = _edited_by_hand(folder, written)
    except OSError as error:
        raise WriteError(
            f"cannot read `{error.filename or folder}`: {error.strerror}",
            "make it readable, or build into another folder with `--out`",
        ) from None
    return Changes(written, removed, edited, overwritten)


def written(folder: Path, files: Mapping[str, str], *, force: bool = False) -> Changes:
    """Make `folder` hold `files`; a new folder appears at once and whole, in an old one the lock changes
    last. `force` overwrites what was edited by hand.

    Raises:
        WriteError: when it cannot be done; what was there before is then still there.
    """
    changes = planned(folder, files)
    if changes.none:
        return changes
    if changes.overwritten and not force:
        names = "".join(f"\n  {folder / name}" for name in changes.overwritten)
        raise WriteError(
            f"edited since they were built, and to be written anew:{names}",
            "put the change into the spec; `--check` shows what would be lost, `--force` overwrites it",
        )
    target = folder.resolve()
    staging = target.parent / f".{target.name}.{secrets.token_hex(6)}.specgen"
    made: list[Path] = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        new = not target.exists()
        _stage(staging, {name: files[name] for name in changes.written}, made)
        if new:
            os.rename(staging, target)
        else:
            for name in sorted(changes.written, key=lambda name: name == LOCK):
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(staging / name, target / name)
            for name in changes.removed:
                (target / name).unlink()
                _remove_empty_parents(target, name)
    except OSError as error:
        raise WriteError(f"cannot write `{folder}`: {error.strerror}", _write_hint(error)) from None
    finally:
        _clear(made)
    return changes


def difference(folder: Path, files: Mapping[str, str]) -> str:
    """Unified diff from what is in `folder` to `files`; empty when they are the same."""
    changes = planned(folder, files)
    return _diff(folder, files, {*changes.written, *changes.removed, *changes.edited})


def losses(folder: Path, files: Mapping[str, str]) -> str:
    """Unified diff of the files whose edits by hand are lost when `files` are written by force."""
    return _diff(folder, files, set(planned(folder, files).overwritten))


def _diff(folder: Path, files: Mapping[str, str], names: set[str]) -> str:
    parts = []
    for name in sorted(names):
        before = _on_disk(folder, name)
        old = [] if before is None else before.decode(errors="replace").splitlines(keepends=True)
        new = files.get(name, "").splitlines(keepends=True)
        sides = (
            f"a/{name}" if before is not None else "/dev/null",
            f"b/{name}" if name in files else "/dev/null",
        )
        lines = difflib.unified_diff(old, new, *sides)
        parts += [
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
        ]
    return "".join(parts)


# -- reading -------------------------------------------------------------------------------------------------


def _on_disk(folder: Path, name: str) -> bytes | None:
    path = folder / name
    return path.read_bytes() if path.is_file() and not path.is_symlink() else None


def _left_over(folder: Path, files: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Files that the lock on disk lists and this build does not make: (as we wrote them, changed since).

    The lock is a file like any other, so it is not believed: only plain files below the folder, reached
    without a link, outside `runs/`, that still have the content that the lock says.
    """
    ours: list[str] = []
    edited: list[str] = []
    for name, sha in _locked(folder).items():
        if name in files or not is_plain_name(name):
            continue
        path = folder / name
        if path.is_symlink() or not path.is_file() or path.resolve() != folder.resolve() / name:
            continue
        same = digest(path.read_bytes().decode(errors="replace")) == sha
        (ours if same else edited).append(name)
    return tuple(sorted(ours)), tuple(sorted(edited))


def _edited_by_hand(folder: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `names` that are on disk and not as the lock says, or of which it says nothing, or links."""
    locked = _locked(folder)
    return tuple(
        name
        for name in names
        if name != LOCK and (folder / name).exists() and not _is_as_locked(folder, name, locked)
    )


def _is_as_locked(folder: Path, name: str, locked: Mapping[str, str]) -> bool:
    content = _on_disk(folder, name)
    return content is not None and digest(content.decode(errors="replace")) == locked.get(name)


def _locked(folder: Path) -> dict[str, str]:
    """The files that the lock on disk lists, with their digests; nothing of it is to be believed."""
    path = folder / LOCK
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_LENGTH:
        return {}
    return locked_files(path.read_bytes().decode(errors="replace"))


def is_plain_name(name: str) -> bool:
    """Whether a name of the lock can be that of a generated file: relative, no `..`, not in `runs/`."""
    path = PurePosixPath(name)
    usable = name.isprintable() and "\\" not in name and ":" not in name and not path.is_absolute()
    return (
        usable and bool(path.parts) and ".." not in path.parts and path.parts[0] != RUNS and str(path) == name
    )


def _refuse_links_out(folder: Path, name: str) -> None:
    """A folder of the experiment that is a link would have us write somewhere else."""
    parent = (folder / name).parent
    if parent.resolve() != (folder.resolve() / name).parent:
        raise WriteError(f"`{parent}` is a link, so writing `{name}` would change files outside `{folder}`")
    if (folder / name).is_dir():
        raise WriteError(f"`{folder / name}` is a folder, and a file is to be written there")


# -- writing -------------------------------------------------------------------------------------------------


def _stage(staging: Path, files: Mapping[str, str], made: list[Path]) -> None:
    """Write the files below `staging`, noting all that is made, in order."""
    for name, text in files.items():
        path = staging / name
        for folder in reversed([path.parent, *path.parent.parents]):
            if folder.is_relative_to(staging) and not folder.exists():
                folder.mkdir()
                made.append(folder)
        made.append(path)
        with open(path, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)


def _clear(made: list[Path]) -> None:
    """Remove what is left of the staging folder: only what was made for it."""
    for path in reversed(made):
        try:
            (path.rmdir if path.is_dir() else path.unlink)()
        except FileNotFoundError:
            continue
        except OSError:
            return


def _remove_empty_parents(folder: Path, name: str) -> None:
    for parent in _parents(folder, name):
        try:
            parent.rmdir()
        except OSError:
            return


def _parents(folder: Path, name: str) -> Iterator[Path]:
    parent = (folder / name).parent
    while parent != folder:
        yield parent
        parent = parent.parent


def _write_hint(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "free some space, then build again; the folder is as it was"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "choose a folder that you can write to with `--out`"
    return "choose another folder with `--out`"
