"""`specgen run`: runs stages of an experiment, each as the generated script that a person could start by hand."""

from typing import Annotated

import typer

from specgen.cli.stage_process import run_stage_script
from specgen.experiment import find_experiment
from specgen.stage_state import STAGE_ORDER, is_current


def run(
    experiment: Annotated[
        str | None, typer.Argument(help="experiment directory, or its name under `experiments/`")
    ] = None,
    stage: Annotated[
        str | None, typer.Option("--stage", help="run this stage alone; all that are out of date by default")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with the newest unfinished run")] = False,
    num_steps: Annotated[
        int | None, typer.Option("--num-steps", min=1, help="stop after this many optimiser steps")
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="`cpu` or `cuda`")] = None,
) -> None:
    """Run a stage, or bring every stage up to date."""
    found = find_experiment(experiment)
    arguments = ["--resume"] if resume else []
    if num_steps is not None:
        arguments += ["--num-steps", str(num_steps)]
    if device is not None:
        arguments += ["--device", device]
    if stage is not None:
        raise typer.Exit(run_stage_script(found, stage, arguments))
    for name in (name for name in STAGE_ORDER if name in found.stages):
        if is_current(found, name):
            typer.echo(f"stage `{name}` is up to date", err=True)
            continue
        status = run_stage_script(found, name, arguments)
        if status != 0:
            raise typer.Exit(status)
