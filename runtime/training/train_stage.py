"""Trains a stage in a run directory of its own, or goes on with an interrupted run."""

import contextlib
import os
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader

from runtime.atomic_file import write_json
from runtime.errors import RunError
from runtime.training.device import describe_device, resolve_device
from runtime.training.evaluation import whole_dataset
from runtime.training.interruption import is_interruption
from runtime.training.metric_values import headline
from runtime.training.report import note, say, start_reporting
from runtime.training.run_checkpoints import ResumePoint, RunCheckpoints
from runtime.training.run_directory import (
    RunDirectory,
    Status,
    create_run,
    file_digest,
    file_inputs,
    find_runs,
)
from runtime.training.stage_arguments import NEWEST, StageArguments
from runtime.training.stage_trainer import StageTrainer
from runtime.training.weights_file import load_metadata

# Lightning starts the script once more for each further device; those processes join the run of the first.
_JOIN = "RUNTIME_TRAINING_RUN"


def train_stage(
    stage: str,
    experiment: Path,
    build_trainer: Callable[[], StageTrainer],
    arguments: StageArguments,
) -> None:
    """Train to the end; `run.json` tells how it went, whatever happens.

    Raises:
        RunError: bad input, loss that is not finite, full disk.
        KeyboardInterrupt: Ctrl-C.
    """
    trainer = build_trainer()
    if joined := os.environ.get(_JOIN):
        _join(trainer, RunDirectory(Path(joined)), arguments)
        return
    resolve_device(arguments.device)
    if arguments.resume is None:
        run = create_run(experiment, stage)
        point = None
    else:
        run = find_resumable(experiment, stage, arguments.resume)
        point = RunCheckpoints(run.checkpoints).resume_point()
    run.claim()
    options = _apply_options(trainer, run, arguments)
    run.start(options=options, seed=trainer.seed, device=describe_device(resolve_device(trainer.device)))
    start_reporting(run.log_file)
    say(f"run {run.path}" + (f", resumed after epoch {point.epoch}, step {point.step}" if point else ""))
    _warn_of_other_lock(run, point)
    os.environ[_JOIN] = str(run.path)
    try:
        if point is None:
            _record_weights(run, trainer)
        trainer.fit(
            run.path, point, identity=_identity(run), on_data=lambda *loaders: _record_inputs(run, *loaders)
        )
        metrics = _write_metrics(run)
    except BaseException as error:
        if not is_interruption(error):
            _give_up(run, "failed", error)
            raise
        _give_up(run, "interrupted", None)
        raise KeyboardInterrupt from error
    finally:
        os.environ.pop(_JOIN, None)
    run.finish("finished", metrics=metrics)
    if best := metrics.get("best"):
        at = f"epoch {best['epoch']}, step {best['step']}"
        say(f"best weights: {run.checkpoints / 'best.safetensors'} ({at})")
        say(f"finished: {headline(best['metrics'])}")


def find_resumable(experiment: Path, stage: str, wanted: str) -> RunDirectory:
    """The run to go on with: the newest unfinished one, or the one that `wanted` names by number, name or
    path.

    Raises:
        RunError: there is none, or it has finished.
    """
    runs = find_runs(experiment, stage)
    if wanted != NEWEST:
        name = Path(wanted).name
        named = [run for run in runs if name in (run.path.name, f"{run.number:04d}", str(run.number))]
        if not named:
            known = ", ".join(run.path.name for run in runs) or "none"
            raise RunError(
                f"no run `{wanted}` of stage `{stage}`",
                place=str(experiment / "runs"),
                hint=f"there are {known}",
            )
        if named[-1].record.get("status") == "finished":
            raise RunError(f"run `{named[-1].path.name}` has finished", hint="train anew without `--resume`")
        return named[-1]
    unfinished = [run for run in runs if run.record.get("status") != "finished"]
    with_checkpoint = [run for run in unfinished if RunCheckpoints(run.checkpoints).exists()]
    if not with_checkpoint:
        reason = "no unfinished run" if not unfinished else "no unfinished run that has saved a checkpoint"
        raise RunError(
            f"{reason} of stage `{stage}`",
            place=str(experiment / "runs"),
            hint=f"start one with `specgen run {experiment} --stage {stage}`",
        )
    return with_checkpoint[-1]


def _apply_options(trainer: StageTrainer, run: RunDirectory, arguments: StageArguments) -> dict[str, Any]:
    """Set what the command line overrides; a resumed run keeps its own overrides where none are given."""
    before: Mapping[str, Any] = run.record.get("options", {})
    num_steps: int | None = arguments.num_steps or before.get("num_steps")
    device: str | None = arguments.device or before.get("device")
    trainer.num_steps = num_steps or trainer.num_steps
    trainer.device = device or trainer.device
    return {"num_steps": num_steps, "device": device}


def _join(trainer: StageTrainer, run: RunDirectory, arguments: StageArguments) -> None:
    """Train as a further process of a run that the first process keeps the record of."""
    start_reporting(None, quiet=True)
    _apply_options(trainer, run, arguments)
    point = RunCheckpoints(run.checkpoints).resume_point() if arguments.resume is not None else None
    trainer.fit(run.path, point, identity=_identity(run))


def _identity(run: RunDirectory) -> dict[str, str]:
    return {"stage": run.stage, "experiment": run.experiment.name, "run": run.path.name}


def _record_weights(run: RunDirectory, trainer: StageTrainer) -> None:
    """Which weights of earlier stages the run starts from."""
    pipeline = trainer.model_convert_pipeline
    sources = {} if pipeline is None else pipeline.stage_checkpoints(run.experiment)
    run.update(inputs=file_inputs(run.experiment, sources))


def _record_inputs(run: RunDirectory, train: DataLoader, val: DataLoader) -> None:
    inputs = dict(run.record.get("inputs", {}))
    for name, loader in (("train", train), ("val", val)):
        dataset = whole_dataset(loader)
        inputs[name] = {
            "split": getattr(dataset, "split", None),
            "num_samples": len(dataset),
            "digest": getattr(dataset, "digest", None),
        }
    run.update(inputs=inputs)


def _warn_of_other_lock(run: RunDirectory, point: ResumePoint | None) -> None:
    """A resumed run of a rebuilt experiment is neither the old nor the new one."""
    locks = run.record.get("locks", [])
    lock = file_digest(run.experiment / "experiment.lock")
    if point is not None and locks and locks[-1] != lock:
        say("warning: the experiment was rebuilt since this run started, it goes on with the new one")
    run.update(locks=[*locks, lock])


def _write_metrics(run: RunDirectory) -> dict[str, Any]:
    """`metrics.json`: results at the best and at the last checkpoint."""
    metrics: dict[str, Any] = {}
    for name in ("best", "last"):
        file = run.checkpoints / f"{name}.safetensors"
        if file.is_file():
            metadata = load_metadata(file)
            metrics[name] = {key: metadata.get(key) for key in ("epoch", "step", "metrics")}
            if "output_digest" in metadata:
                metrics[name]["output_digest"] = metadata["output_digest"]
    write_json(run.path / "metrics.json", metrics)
    return metrics


def _give_up(run: RunDirectory, status: Status, error: BaseException | None) -> None:
    """Record the end of a run that did not finish, and tell how to go on."""
    # A disk that is full for a checkpoint may be full for this too; the first error is the one to show.
    with contextlib.suppress(RunError, OSError):
        run.finish(status, error=None if error is None else str(error))
    if error is not None and not isinstance(error, RunError):
        note("".join(traceback.format_exception(error)).rstrip())
    checkpoints = RunCheckpoints(run.checkpoints)
    if not checkpoints.exists():
        # Calibration saves its result, and analyses it after that.
        saved = checkpoints.best.is_file()
        say(
            f"{status} after {checkpoints.best} was saved"
            if saved
            else f"{status} before the first checkpoint was saved"
        )
        return
    metadata = load_metadata(checkpoints.last)
    at = f"epoch {metadata.get('epoch')}, step {metadata.get('step')}"
    say(f"{status}; last checkpoint: {checkpoints.last} ({at})")
    say(f"go on with: specgen run {run.experiment} --stage {run.stage} --resume --run {run.path.name}")
