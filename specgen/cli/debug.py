"""`specgen debug`: what fixed point does to the model, tensor by tensor, as the calibration found it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from specgen.analysis_run import NoAnalysis, find_analysis
from specgen.cli.columns import columns
from specgen.experiment import find_experiment


def debug(
    experiment: Annotated[
        str | None, typer.Argument(help="experiment directory, or its name under `experiments/`")
    ] = None,
    run: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="this run, not the newest with an analysis")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the whole analysis as JSON")] = False,
    top: Annotated[int, typer.Option("--top", min=1, help="rows of each table")] = 15,
) -> None:
    """Show the worst layers, ranges, sensitivities and samples of a calibrated model, and its int16 plan."""
    from runtime.quantization.analysis.text_tables import analysis_text

    try:
        found = find_analysis(find_experiment(experiment), run)
    except NoAnalysis as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(found.document, indent=2))
        return
    typer.echo(f"run {found.folder.name}")
    typer.echo(analysis_text(found.document, top=top, width=columns()))
    typer.echo(f"the same with distributions: {found.page}")
