"""What a generated stage script calls: parse the command line, train or evaluate, end with the right exit
code."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from runtime.errors import RunError
from runtime.training.float_trainer import DistributedDataParallelTrainer
from runtime.training.predict_stage import predict_stage
from runtime.training.report import complain, stop_reporting
from runtime.training.stage_arguments import StageArguments, parse_stage_arguments
from runtime.training.train_stage import train_stage

BuildTrainer = Callable[[], DistributedDataParallelTrainer]

_EXIT_FAILED = 1
_EXIT_INTERRUPTED = 130


def run_stage(
    stage: str, experiment: str | Path, build_trainer: BuildTrainer, argv: Sequence[str] | None = None
) -> None:
    """Run a stage as a script's last line; always ends with `SystemExit`.

    Args:
        stage: name of the stage, such as `float`.
        experiment: the experiment directory, where runs go.
        build_trainer: makes the stage's trainer.
        argv: command line without the script's name; the process's own by default.
    """
    arguments = parse_stage_arguments(stage, argv)
    try:
        sys.exit(_run(stage, Path(experiment), build_trainer, arguments))
    finally:
        stop_reporting()


def _run(stage: str, experiment: Path, build_trainer: BuildTrainer, arguments: StageArguments) -> int:
    if arguments.threads is not None:
        torch.set_num_threads(arguments.threads)
    run = predict_stage if arguments.predict else train_stage
    try:
        run(stage, experiment, build_trainer, arguments)
    except RunError as error:
        complain(error)
        return _EXIT_FAILED
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    return 0
