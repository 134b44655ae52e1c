"""What `diff` and `graph` take: a spec, an experiment directory, or either of them in a git revision."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from specgen import locate
from specgen.cli.git_files import GitProblem, fetched
from specgen.cli.spec_argument import Format, reported, spec_path
from specgen.emit.lock import LOCK
from specgen.experiment import EXPERIMENTS_FOLDER
from specgen.printable import printable

if TYPE_CHECKING:
    from specgen.diff.side import Side
    from specgen.sources import Sources

SIDE_HELP = "spec, experiment directory, or either in a git revision as `REV:path`"
_RESOLVED = "spec.yaml"


def side_of(given: str, sets: tuple[str, ...] = (), *, lenient: bool = False) -> Side:
    """What the user named, compiled; `lenient` also takes experiments and revisions that do not compile now.

    Raises:
        typer.Exit: when it is not there or not right; the message is printed.
    """
    from specgen.diff.side import spec_side

    path = Path(given)
    if path.is_dir():
        return _experiment(path, given, sets, lenient)
    if ":" in given and not path.exists():
        return _revision(given, sets, lenient)
    if not path.exists() and given not in locate.ready_specs():
        folder = Path(EXPERIMENTS_FOLDER) / given
        if (folder / LOCK).is_file():
            return _experiment(folder, given, sets, lenient)
    found = spec_path(given)
    return _reported(lambda sources: spec_side(found, sources, sets, name=given))


def _experiment(folder: Path, given: str, sets: tuple[str, ...], lenient: bool) -> Side:
    path = folder / _RESOLVED
    if not (folder / LOCK).is_file() or not path.is_file():
        raise failed(f"`{given}` is a folder, and not an experiment: it has no `{LOCK}` or no `{_RESOLVED}`")
    return _resolved(path, os.path.relpath(path), given, sets, lenient)


def _revision(given: str, sets: tuple[str, ...], lenient: bool) -> Side:
    from specgen.diff.side import spec_side

    with tempfile.TemporaryDirectory(prefix="specgen") as folder:
        try:
            file = fetched(given, Path(folder), within=_RESOLVED)
        except GitProblem as error:
            raise failed(str(error), error.hint) from None
        if file.inside_folder:
            return _resolved(file.path, file.shown, given, sets, lenient, of_revision=True)
        side = _reported(
            lambda s: spec_side(file.path, s, sets, name=given, shown=file.shown, lenient=lenient)
        )
    if side.root.plain_at("plugins", default=[]):
        note = f"`{given}` is read with the plugins that are here now, not those of its revision"
        print(f"note: {printable(note)}", file=sys.stderr)
    return side


def _resolved(
    path: Path, shown: str, given: str, sets: tuple[str, ...], lenient: bool, *, of_revision: bool = False
) -> Side:
    """The resolved spec of an experiment, with a hint when it is not right."""
    from specgen.diff.side import experiment_side

    if sets:
        hint = "name the spec that it is built from"
        raise failed(f"`--set` changes a spec, and `{given}` is an experiment", hint)
    try:
        return _reported(lambda s: experiment_side(path, s, name=given, shown=shown, lenient=lenient))
    except typer.Exit:
        hint = "build the experiment again with `specgen build`"
        if of_revision:
            hint = "read it with the version of specgen that built it"
        print(f"hint: this file is generated: {hint}", file=sys.stderr)
        raise


def _reported(step: Callable[[Sources], Side]) -> Side:
    return reported(step, Format.text, consequence="")


def failed(message: str, hint: str | None = None) -> typer.Exit:
    """Prints a message; the exit for it."""
    print(f"error: {printable(message)}" + (f"\nhint: {printable(hint)}" if hint else ""), file=sys.stderr)
    return typer.Exit(1)
