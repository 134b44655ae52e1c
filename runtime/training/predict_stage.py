"""Evaluates a trained stage: a table on stdout, `metrics.json`, the nuScenes result file and pictures in a
run directory."""

import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from runtime.atomic_file import write_bytes, write_json
from runtime.errors import RunError
from runtime.training.device import describe_device, resolve_device
from runtime.training.evaluation import Evaluation
from runtime.training.report import duration, say, start_reporting
from runtime.training.result_table import result_table
from runtime.training.run_directory import create_run, file_digest
from runtime.training.sample_pictures import SamplePictures
from runtime.training.stage_arguments import StageArguments
from runtime.training.stage_trainer import StageTrainer
from runtime.training.trained_runs import find_trained


class _Progress(pl.Callback):
    """A line every ten seconds."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        module: Any,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if time.monotonic() - self._last > 10:
            self._last = time.monotonic()
            say(f"evaluated {module.evaluated_samples} of {len(module.val_loader.dataset)} samples")


def predict_stage(
    stage: str,
    experiment: Path,
    build_trainer: Callable[[], StageTrainer],
    arguments: StageArguments,
) -> None:
    """Evaluate and report; data go to stdout, everything else to stderr.

    Raises:
        RunError: no trained run, unreadable checkpoint, bad data.
    """
    checkpoint = None if arguments.untrained else arguments.checkpoint or find_trained(experiment, stage)
    trainer = build_trainer()
    trainer.device = arguments.device or trainer.device
    resolve_device(trainer.device)
    if checkpoint is not None and not checkpoint.is_file():
        raise RunError("no such checkpoint", place=str(checkpoint), hint="check the path")
    # Result file and pictures need the predictions of all samples in one process.
    trainer.num_devices = 1
    run = create_run(experiment, f"predict-{stage}")
    run.claim()
    run.start(
        seed=trainer.seed,
        device=describe_device(resolve_device(trainer.device)),
        inputs={
            "checkpoint": None if checkpoint is None else str(checkpoint),
            "checkpoint_sha256": _digest(checkpoint),
        },
    )
    start_reporting(run.log_file)
    say(f"run {run.path}, weights {checkpoint or 'untrained'}")
    try:
        pictures = SamplePictures(run.path / "pictures", arguments.pictures)
        evaluation = trainer.evaluate(
            checkpoint, num_samples=arguments.num_samples, callbacks=[_Progress(), pictures]
        )
        for metric in trainer.val_metrics:
            if hasattr(metric, "write_results"):
                metric.write_results(run.path / f"{metric.name}-nuscenes-results.json")
        report = _report(stage, checkpoint, evaluation)
        write_json(run.path / "metrics.json", report)
    except BaseException as error:
        with contextlib.suppress(RunError, OSError):
            run.finish("interrupted" if isinstance(error, KeyboardInterrupt) else "failed", error=str(error))
        raise
    say(f"evaluated {evaluation.num_samples} samples in {duration(evaluation.seconds)}")
    for picture in pictures.written:
        say(f"picture {picture}")
    text = json.dumps(report, indent=2) if arguments.json else result_table(report)
    print(text, flush=True)
    write_bytes(run.path / "report.txt", f"{result_table(report)}\n".encode())
    run.finish("finished", metrics=evaluation.metrics)


def _digest(checkpoint: Path | None) -> str | None:
    return None if checkpoint is None else file_digest(checkpoint)


def _report(stage: str, checkpoint: Path | None, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "stage": stage,
        "checkpoint": None if checkpoint is None else str(checkpoint),
        "split": evaluation.split,
        "num_samples": evaluation.num_samples,
        "data_digest": evaluation.digest,
        "line_width": evaluation.line_width,
        "metrics": evaluation.metrics,
    }
