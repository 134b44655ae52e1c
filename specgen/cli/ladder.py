"""`specgen ladder`: what each stage loses or gains against float training, in one table."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from specgen.experiment import find_experiment
from specgen.ladder import LadderError, as_json, as_markdown, as_text
from specgen.ladder import ladder as rungs_of


def ladder(
    experiment: Annotated[
        str | None, typer.Argument(help="experiment directory, or its name under `experiments/`")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="print a table for a README")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="print the metrics as JSON")] = False,
) -> None:
    """Compare the stages: the metrics of each newest finished run, and the difference to float."""
    found = find_experiment(experiment)
    try:
        rungs = rungs_of(found)
    except LadderError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if json_output:
        typer.echo(json.dumps(as_json(found, rungs), indent=2))
    else:
        typer.echo(as_markdown(found, rungs) if markdown else as_text(found, rungs))
