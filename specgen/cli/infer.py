"""`specgen infer`: pictures and a result file from the fixed-point model, for images or a packed sample."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from specgen.cli.experiment_spec import experiment_spec
from specgen.cli.lock_guard import UnlockedOption, guard
from specgen.cli.stage_process import run_module
from specgen.experiment import Experiment, find_experiment
from specgen.stage_table import STAGES

MODULE = "runtime.deployment.infer"


def infer(
    experiment: Annotated[
        str | None, typer.Argument(help="experiment directory, or its name under `experiments/`")
    ] = None,
    *,
    model_inputs: Annotated[
        str,
        typer.Option(
            "--model-inputs",
            metavar="INPUTS",
            help="`img:DIR`, six JPEGs and `calibration.json`; `sample:INDEX`, from 0, or `sample:TOKEN` of "
            "the validation pack; `pack:PATH#INDEX` of another one",
        ),
    ],
    save_path: Annotated[
        Path, typer.Option("--save-path", metavar="DIR", help="folder for picture, map and `result.json`")
    ],
    model: Annotated[
        Path | None,
        typer.Option("--model", help="this `model.hbir.onnx`, not that of the newest `export` run"),
    ] = None,
    score: Annotated[
        float, typer.Option("--score", min=0.0, max=1.0, help="least score of a box in the picture")
    ] = 0.3,
    device: Annotated[str | None, typer.Option("--device", help="`cpu` or `cuda`")] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="CPU threads of torch")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the result as JSON")] = False,
    unlocked: UnlockedOption = False,
) -> None:
    """Run the exported fixed-point model on one sample, and draw what it finds."""
    found = find_experiment(experiment)
    arguments = [
        *("--experiment", str(found.folder), "--loader", validation_loader(found)),
        *("--model-inputs", absolute_inputs(model_inputs), "--save-path", str(save_path.absolute())),
        *("--score", repr(score)),
    ]
    if model is not None:
        arguments += ["--model", str(model.absolute())]
    if device is not None:
        arguments += ["--device", device]
    if threads is not None:
        arguments += ["--threads", str(threads)]
    if as_json:
        arguments.append("--json")
    guard(found, unlocked, record="result.json")
    raise typer.Exit(run_module(found, MODULE, arguments))


def validation_loader(experiment: Experiment) -> str:
    """The loader on which the latest stage of the spec is judged."""
    stages = experiment_spec(experiment).plain_at("stages", default={})
    loaders = [stages[name].get("val_data_loader") for name in STAGES if stages.get(name)]
    return next((loader for loader in reversed(loaders) if loader), "val")


def absolute_inputs(text: str) -> str:
    """Inputs whose path holds in every folder: the process that reads them works in the project's."""
    kind, _, rest = text.partition(":")
    return f"{kind}:{Path(rest).absolute()}" if kind in ("img", "pack") and rest else text
