"""`specgen predict`: the metrics of a trained stage on the validation split, with pictures."""

from pathlib import Path
from typing import Annotated

import typer

from specgen.cli.lock_guard import UnlockedOption, guard
from specgen.cli.stage_process import run_stage_script
from specgen.experiment import find_experiment
from specgen.stage_table import STAGES


def predict(
    experiment: Annotated[
        str | None, typer.Argument(help="experiment directory, or its name under `experiments/`")
    ] = None,
    stage: Annotated[str, typer.Option("--stage", help="the stage that is evaluated")] = "float",
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="evaluate this file, not the best of the newest run")
    ] = None,
    untrained: Annotated[bool, typer.Option("--untrained", help="evaluate the initial weights")] = False,
    pictures: Annotated[int, typer.Option("--pictures", min=0, help="how many samples to draw")] = 4,
    num_samples: Annotated[
        int | None, typer.Option("--num-samples", min=1, help="evaluate only the first samples")
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="`cpu` or `cuda`")] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="CPU threads of torch")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the metrics as JSON")] = False,
    unlocked: UnlockedOption = False,
) -> None:
    """Evaluate a stage: NDS, mAP, true-positive errors, IoU of the map."""
    facts = STAGES.get(stage)
    if facts is not None and not facts.evaluates:
        judging = ", ".join(f"`{name}`" for name, other in STAGES.items() if other.evaluates)
        raise typer.BadParameter(f"the stage `{stage}` evaluates nothing; those that do are {judging}")
    if untrained and facts is not None and not facts.in_steps:
        raise typer.BadParameter(f"the stage `{stage}` judges a file and has no initial weights")
    found = find_experiment(experiment)
    arguments = ["--predict", "--pictures", str(pictures)]
    if checkpoint is not None:
        arguments += ["--checkpoint", str(checkpoint.resolve())]
    if untrained:
        arguments.append("--untrained")
    if num_samples is not None:
        arguments += ["--num-samples", str(num_samples)]
    if device is not None:
        arguments += ["--device", device]
    if threads is not None:
        arguments += ["--threads", str(threads)]
    if as_json:
        arguments.append("--json")
    guard(found, unlocked)
    raise typer.Exit(run_stage_script(found, stage, arguments))
