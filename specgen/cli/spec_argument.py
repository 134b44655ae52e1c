"""What the commands that take a spec have in common: finding it, `--set`, `--format`, reports."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from specgen import locate
from specgen.did_you_mean import close_to
from specgen.printable import printable

if TYPE_CHECKING:
    from specgen.sources import Sources

Result = TypeVar("Result")


class Format(StrEnum):
    """How diagnostics are printed."""

    text = "text"
    json = "json"
    github = "github"


SpecArgument = Annotated[
    str, typer.Argument(metavar="SPEC", help="spec file, or the name of one that comes with specgen")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="change a value, such as `data.train.seed=1`"),
]
FormatOption = Annotated[Format, typer.Option("--format", help="how mistakes are printed")]


def spec_path(given: str, style: Format = Format.text) -> Path:
    """The file of a spec: a path, or the name of one that comes with specgen.

    Raises:
        typer.Exit: when there is no such file; the message is printed.
    """
    path = Path(given)
    ready = locate.ready_specs()
    if given and path.exists():
        return path
    if given in ready:
        return ready[given]
    message = f"the spec `{given}` does not exist" if given else "no spec is named: the argument is empty"
    hint = f"specs that come with specgen go by their name: {', '.join(f'`{name}`' for name in ready)}"
    if meant := (path.stem if path.stem in ready else close_to(path.stem, ready)):
        hint = f"`{meant}` comes with specgen: give its name, without folder and suffix"
    if style is Format.text:
        print(f"error: {printable(message)}\nhint: {hint}", file=sys.stderr)
    else:
        from specgen.diagnostic import Diagnostic, Span
        from specgen.report import rendered
        from specgen.sources import Sources

        missing = Diagnostic("E001", message, Span(given, 1, 1, 2), hint=hint)
        print(rendered([missing], Sources(), style.value), end="")
    raise typer.Exit(1)


def reported(
    step: Callable[[Sources], Result], style: Format, *, consequence: str = ", nothing was written"
) -> Result:
    """The result of `step`, or all its diagnostics printed and exit status 1.

    Text goes to stderr as all that is no data; JSON and annotations are data, for a program that reads
    stdout.
    """
    from specgen.diagnostic import SpecError
    from specgen.report import rendered
    from specgen.sources import Sources

    sources = Sources()
    try:
        return step(sources)
    except SpecError as error:
        text = rendered(error.diagnostics, sources, style.value)
        print(text, end="", file=sys.stderr if style is Format.text else sys.stdout)
        if style is Format.text:
            count = len(error.diagnostics)
            print(f"\n{count} error{'' if count == 1 else 's'}{consequence}", file=sys.stderr)
        raise typer.Exit(1) from None
