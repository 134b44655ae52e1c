"""Evaluates a trained stage: a table on stdout, `metrics.json`, the nuScenes result file and pictures in a
run directory."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runtime.atomic_file import write_bytes, write_json
from runtime.errors import RunError
from runtime.training.device import describe_device, resolve_device
from runtime.training.evaluation import Evaluation
from runtime.training.evaluation_progress import EvaluationProgress
from runtime.training.report import duration, say, show, start_reporting
from runtime.training.result_table import result_table
from runtime.training.run_directory import create_run, file_digest
from runtime.training.sample_pictures import SamplePictures
from runtime.training.stage_arguments import StageArguments
from runtime.training.stage_trainer import StageJudge


def predict_stage(
    stage: str,
    experiment: Path,
    build_judge: Callable[[], StageJudge],
    arguments: StageArguments,
    *,
    find: Callable[[], Path],
) -> None:
    """Evaluate and report; data go to stdout, everything else to stderr.

    Args:
        stage: its name.
        experiment: the experiment directory, where the run goes.
        build_judge: makes what evaluates.
        arguments: from the command line.
        find: the file that is evaluated unless the arguments name another one.

    Raises:
        RunError: no trained run, unreadable checkpoint, bad data.
    """
    checkpoint = None if arguments.untrained else arguments.checkpoint or find()
    judge = build_judge()
    judge.device = arguments.device or judge.device
    resolve_device(judge.device)
    if checkpoint is not None and not checkpoint.is_file():
        raise RunError("no such checkpoint", place=str(checkpoint), hint="check the path")
    # Result file and pictures need the predictions of all samples in one process.
    judge.num_devices = 1
    digest = None if checkpoint is None else file_digest(checkpoint)
    run = create_run(experiment, f"predict-{stage}")
    run.claim()
    run.start(
        seed=judge.seed,
        device=describe_device(resolve_device(judge.device)),
        inputs={
            "checkpoint": None if checkpoint is None else str(checkpoint),
            "checkpoint_sha256": digest,
        },
    )
    start_reporting(run.log_file)
    say(f"run {run.path}, weights {checkpoint or 'untrained'}")
    with run.recording():
        pictures = SamplePictures(run.path / "pictures", arguments.pictures)
        evaluation = judge.evaluate(
            checkpoint, num_samples=arguments.num_samples, callbacks=[EvaluationProgress(), pictures]
        )
        for metric in judge.val_metrics:
            if hasattr(metric, "write_results"):
                metric.write_results(run.path / f"{metric.name}-nuscenes-results.json")
        report = _report(stage, checkpoint, evaluation)
        write_json(run.path / "metrics.json", report)
    say(f"evaluated {evaluation.num_samples} samples in {duration(evaluation.seconds)}")
    for picture in pictures.written:
        say(f"picture {picture}")
    write_bytes(run.path / "report.txt", f"{result_table(report)}\n".encode())
    run.finish("finished", metrics=evaluation.metrics)
    show(json.dumps(report, indent=2) if arguments.json else result_table(report))


def _report(stage: str, checkpoint: Path | None, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "stage": stage,
        "checkpoint": None if checkpoint is None else str(checkpoint),
        "split": evaluation.split,
        "num_samples": evaluation.num_samples,
        "data_digest": evaluation.digest,
        "line_width": evaluation.line_width,
        "metrics": evaluation.metrics,
        **({} if evaluation.output_digest is None else {"output_digest": evaluation.output_digest}),
    }
