"""`specgen run`: runs the stages of an experiment, each as the generated script that a person could start."""

from __future__ import annotations

from typing import Annotated

import typer

from specgen.cli.apply_plan import apply_plan
from specgen.cli.experiment_spec import experiment_spec
from specgen.cli.lock_guard import UnlockedOption, guard
from specgen.cli.run_overrides import Overrides
from specgen.cli.stage_process import run_stage_script
from specgen.experiment import Experiment, find_experiment
from specgen.ladder import LadderError, NoRung, as_text, ladder
from specgen.stage_state import DamagedRecord, is_current, made_digest
from specgen.stage_table import STAGES


def run(
    experiment: Annotated[
        str | None, typer.Argument(help="experiment directory, or its name under `experiments/`")
    ] = None,
    stage: Annotated[
        str | None, typer.Option("--stage", help="run this stage alone; all that are out of date by default")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with the newest unfinished run")] = False,
    resumed: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="with `--resume`: this run, not the newest")
    ] = None,
    num_steps: Annotated[
        int | None, typer.Option("--num-steps", min=1, help="stop after this many optimiser steps")
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="`cpu` or `cuda`")] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="CPU threads of torch")] = None,
    plan: Annotated[
        bool,
        typer.Option(
            "--apply-plan", help="with `--stage calibration`: write the plan's int16 rules into a new spec"
        ),
    ] = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="with `--stage check`: a node that falls to the CPU is an error"),
    ] = False,
    unlocked: UnlockedOption = False,
) -> None:
    """Run a stage, or bring every stage up to date."""
    found = find_experiment(experiment)
    if resumed is not None and not resume:
        raise typer.BadParameter("`--run` says which run `--resume` goes on with, and goes with it")
    if plan and stage != "calibration":
        raise typer.BadParameter(
            "`--apply-plan` is about the plan of `--stage calibration`, and goes with it"
        )
    if strict and stage != "check":
        raise typer.BadParameter("`--strict` is about the verdict of `--stage check`, and goes with it")
    overrides = Overrides(
        resume=resume, run=resumed, num_steps=num_steps, device=device, threads=threads, strict=strict
    )
    differing = guard(found, unlocked)
    if stage is not None:
        overrides.check(stage)
        status = run_stage_script(found, stage, overrides.arguments(stage))
        if plan and status == 0:
            apply_plan(found)
        raise typer.Exit(status)
    for name in (name for name in STAGES if name in found.stages):
        if not differing and _is_current(found, name, overrides):
            typer.echo(f"stage `{name}` is up to date", err=True)
            continue
        status = run_stage_script(found, name, overrides.arguments(name))
        if status != 0:
            raise typer.Exit(status)
    try:
        typer.echo(as_text(found, ladder(found)))
    except NoRung:
        pass  # the stages of this experiment are not judged: there is nothing to show
    except (LadderError, DamagedRecord) as error:
        typer.echo(str(error), err=True)


def _is_current(experiment: Experiment, stage: str, overrides: Overrides) -> bool:
    inputs = _inputs(experiment, stage)
    try:
        return is_current(experiment, stage, overrides.recorded(stage), inputs)
    except DamagedRecord as error:
        typer.echo(f"warning: `{error.file}` is damaged: stage `{stage}` runs again", err=True)
        return False


def _inputs(experiment: Experiment, stage: str) -> dict[str, str]:
    """Digests of what a stage works on, as they are now: packs, the march, the files of earlier stages."""
    from runtime.data.pack_format import PackPlace
    from runtime.data.pack_reader import read_manifest
    from runtime.errors import RunError

    spec = experiment_spec(experiment)
    takes = STAGES[stage].takes
    digests = {} if takes is None else {takes: made_digest(experiment, takes)}
    for converter in spec.plain_at("stages", stage, "model_convert_pipeline", "converters", default=[]):
        if converter["type"] == "LoadCheckpoint" and converter.get("stage"):
            digests[converter["stage"]] = made_digest(experiment, converter["stage"])
    for role, key in (("train", "data_loader"), ("val", "val_data_loader")):
        loader = spec.plain_at("stages", stage, key)
        dataset = spec.plain_at("data", loader, "dataset", default={}) if loader else {}
        if "data_path" not in dataset:
            continue
        path = experiment.project_root / dataset["data_path"]
        metas = dataset.get("map_path")
        place = PackPlace.of_lmdb(path, experiment.project_root / metas if metas else None)
        try:
            digests[role] = read_manifest(place).digest
        except RunError:
            digests[role] = "missing"
    # Calibration counts cycles of the march in its analysis; its scales follow from the lock.
    if not STAGES[stage].in_steps and spec.plain_at("stages", stage, "march", default=None) is not None:
        digests["march"] = _march_digest(spec.plain_at("march"))
    return digests


def _march_digest(name: str) -> str:
    from runtime.bpu.march import load_march
    from runtime.bpu.march_digest import march_digest
    from runtime.errors import RunError

    try:
        return march_digest(load_march(name))
    except RunError:
        return "missing"  # or damaged: the stage says what is wrong with it
