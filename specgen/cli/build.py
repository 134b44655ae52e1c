"""`specgen build`: a spec to its experiment directory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from specgen.cli.spec_argument import Format, FormatOption, SetOption, SpecArgument, reported, spec_path
from specgen.experiment import EXPERIMENTS_FOLDER


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
    style: FormatOption = Format.text,
) -> None:
    """Compile a spec to an experiment: a folder of readable Python that runs."""
    from specgen.pipeline import compiled, generated
    from specgen.write import WriteError, difference, planned, written

    compiled_spec = reported(lambda sources: compiled(spec_path(spec), sources, tuple(sets or ())), style)
    experiment = generated(compiled_spec)
    folder = out if out is not None else Path(EXPERIMENTS_FOLDER) / experiment.name
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
        changes = written(folder, experiment.files)
    except WriteError as error:
        hint = f"\nhint: {error.hint}" if error.hint else ""
        print(f"error: {error}{hint}", file=sys.stderr)
        raise typer.Exit(1) from None
    for name in changes.edited:
        print(f"`{folder / name}` is not made any more, and was edited: it stays", file=sys.stderr)
    for name in changes.overwritten:
        print(f"`{folder / name}` was edited by hand: it is as built again", file=sys.stderr)
    counts = f"{len(changes.written)} of {len(experiment.files)} files written"
    if changes.removed:
        counts += f", {len(changes.removed)} removed"
    print(f"{counts if not changes.none else 'nothing to change'}", file=sys.stderr)
    print(folder)
