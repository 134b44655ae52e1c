"""`specgen graph`: the model of a spec or an experiment, with channels@stride."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from specgen.cli.columns import columns
from specgen.cli.side_argument import SIDE_HELP, side_of
from specgen.cli.spec_argument import SetOption


class GraphFormat(StrEnum):
    """How the graph is printed."""

    text = "text"
    mermaid = "mermaid"


def graph(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help=SIDE_HELP)],
    style: Annotated[
        GraphFormat, typer.Option("--format", help="table, or a mermaid flowchart")
    ] = GraphFormat.text,
    sets: SetOption = None,
) -> None:
    """Show the parts of a model and the feature maps between them, as channels@stride."""
    from specgen.graph_text import mermaid, table

    found = side_of(spec, tuple(sets or ())).graph
    assert found is not None  # what does not compile was reported
    lines = mermaid(found) if style is GraphFormat.mermaid else table(found, columns())
    print("\n".join(lines))
