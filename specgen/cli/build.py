"""`specgen build`: a spec to its experiment directory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from specgen.cli.spec_argument import Format, FormatOption, SetOption, SpecArgument, reported, spec_path
from specgen.experiment import EXPERIMENTS_FOLDER, Experiment

if TYPE_CHECKING:
    from specgen.document import Node


def build(
    spec: SpecArgument,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="folder to write; `experiments/<name>` by default"),
    ] = None,
    sets: SetOption = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="write nothing; print what would change and exit 1 if anything would"),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="overwrite files that were edited by hand, and print what is lost")
    ] = False,
    lock_data: Annotated[
        bool, typer.Option("--lock-data", help="let the lock pin the packs that are there now")
    ] = False,
    style: FormatOption = Format.text,
) -> None:
    """Compile a spec to an experiment: a folder of readable Python that runs."""
    from specgen.pipeline import compiled, generated
    from specgen.write import WriteError, difference, losses, planned, written

    compiled_spec = reported(lambda sources: compiled(spec_path(spec), sources, tuple(sets or ())), style)
    folder = out if out is not None else Path(EXPERIMENTS_FOLDER) / compiled_spec.name
    experiment = generated(compiled_spec, _pinned(compiled_spec.root, folder, lock_data))
    try:
        if check:
            diff = difference(folder, experiment.files)
            print(diff, end="")
            if diff:
                for name in planned(folder, experiment.files).overwritten:
                    print(f"`{folder / name}` was edited by hand", file=sys.stderr)
                print(f"`{folder}` differs from `{spec}`\nhint: run `specgen build {spec}`", file=sys.stderr)
                raise typer.Exit(1)
            return
        lost = losses(folder, experiment.files) if force else ""
        changes = written(folder, experiment.files, force=force)
    except WriteError as error:
        hint = f"\nhint: {error.hint}" if error.hint else ""
        print(f"error: {error}{hint}", file=sys.stderr)
        raise typer.Exit(1) from None
    for name in changes.edited:
        print(f"`{folder / name}` is not made any more, and was edited: it stays", file=sys.stderr)
    for name in changes.overwritten:
        print(f"`{folder / name}` was edited by hand: it is as built again", file=sys.stderr)
    if lost:
        print(f"lost are the lines with `-`:\n{lost}", end="", file=sys.stderr)
    counts = f"{len(changes.written)} of {len(experiment.files)} files written"
    if changes.removed:
        counts += f", {len(changes.removed)} removed"
    print(f"{counts if not changes.none else 'nothing to change'}", file=sys.stderr)
    print(folder)


def _pinned(root: Node, folder: Path, renew: bool) -> dict[str, str]:
    """Digests of packs for the lock, by loader: those that it has already, or of the packs as they are now.

    Raises:
        typer.Exit: when there are none to pin; the message is printed.
    """
    from specgen.lock_check import locked_data

    loaders = [name for name, _ in root.at("data").items()]
    if not renew:
        return {name: digest for name, digest in locked_data(folder).items() if name in loaders}
    from specgen.cli.pack_digests import pack_digests

    project = Experiment(folder=folder.resolve()).project_root
    found = pack_digests(root, project)
    missing = [f"`{name}`" for name in loaders if name not in found]
    if missing:
        print(
            f"error: there is no pack below `{project}` for {', '.join(missing)}\n"
            "hint: `specgen data pack` makes them; without `--lock-data` the lock pins no data",
            file=sys.stderr,
        )
        raise typer.Exit(1)
    return found
