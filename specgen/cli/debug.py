"""`specgen debug`: what fixed point does to the model, and where two runs of it begin to differ."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from specgen.analysis_run import NoAnalysis, find_analysis
from specgen.cli.columns import columns
from specgen.cli.first_difference import print_first_difference
from specgen.experiment import find_experiment


def debug(
    experiment: Annotated[
        str | None, typer.Argument(help="experiment directory, or its name under `experiments/`")
    ] = None,
    run: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="this run, not the newest with an analysis")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print everything as JSON")] = False,
    top: Annotated[int, typer.Option("--top", min=1, help="rows of each table")] = 15,
    first_difference: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--first-difference",
            metavar="A B",
            help="find the first tensor in which two runs differ, exit 1 if there is one; each is FILE or "
            "EXPERIMENT, or one with an executor: `torch:FILE`, `onnxruntime:FILE`, `reference:FILE`",
        ),
    ] = None,
    model_inputs: Annotated[
        str | None,
        typer.Option(
            "--model-inputs",
            metavar="INPUTS",
            help="for `--first-difference`: a sample as `specgen infer` takes it, such as `sample:0`, not "
            "random and extreme codes",
        ),
    ] = None,
) -> None:
    """Show the worst layers, ranges, sensitivities and samples of a calibrated model, and its int16 plan."""
    if first_difference is not None:
        if run is not None:
            raise typer.BadParameter("`--first-difference` reads no analysis", param_hint="--run")
        equal = print_first_difference(first_difference, experiment, model_inputs, as_json=as_json)
        raise typer.Exit(0 if equal else 1)
    if model_inputs is not None:
        raise typer.BadParameter("only `--first-difference` reads inputs", param_hint="--model-inputs")
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
