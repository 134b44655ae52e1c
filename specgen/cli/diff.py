"""`specgen diff`: what two specs differ in, and what follows from it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from specgen.cli.columns import columns
from specgen.cli.side_argument import SIDE_HELP, failed, side_of
from specgen.cli.spec_argument import SetOption

_USAGE = 2


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help=SIDE_HELP)],
    new: Annotated[
        str | None,
        typer.Argument(metavar="NEW", help="the other one; may be left out with `--set`", show_default=False),
    ] = None,
    sets: SetOption = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="print tables for a pull request")] = False,
) -> None:
    """Compare two specs: the changes that were written, and apart from them what follows.

    Exit status 0 when both are the same experiment, 1 when they differ, 2 when one cannot be compared.
    """
    from specgen.diff.markdown import as_markdown
    from specgen.diff.report import report
    from specgen.diff.text import as_text

    try:
        if new is None and not sets:
            raise failed(
                "a comparison takes two specs", f"`specgen diff {old} OTHER`, or a change by `--set`"
            )
        before = side_of(old, lenient=True)
        after = side_of(new if new is not None else old, tuple(sets or ()), lenient=True)
    except typer.Exit:
        raise typer.Exit(_USAGE) from None
    found = report(before, after)
    print(as_markdown(found) if markdown else as_text(found, columns()), end="")
    if found.same:
        print(f"`{found.old}` and `{found.new}` are the same experiment", file=sys.stderr)
        return
    raise typer.Exit(1)
