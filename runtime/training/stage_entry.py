"""What the generated script of a stage that learns or calibrates calls: parse the command line, train or
evaluate."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from runtime.training.predict_stage import predict_stage
from runtime.training.stage_arguments import parse_stage_arguments
from runtime.training.stage_process import end_with
from runtime.training.stage_trainer import StageTrainer
from runtime.training.train_stage import train_stage
from runtime.training.trained_runs import find_trained

BuildTrainer = Callable[[], StageTrainer]


def run_stage(
    stage: str, experiment: str | Path, build_trainer: BuildTrainer, argv: Sequence[str] | None = None
) -> NoReturn:
    """Run a stage as a script's last line; always ends with `SystemExit`.

    Args:
        stage: name of the stage, such as `float`.
        experiment: the experiment directory, where runs go.
        build_trainer: makes the stage's trainer.
        argv: command line without the script's name; the process's own by default.
    """
    arguments = parse_stage_arguments(stage, argv)
    folder = Path(experiment)

    def work() -> None:
        if arguments.predict:
            predict_stage(stage, folder, build_trainer, arguments, find=lambda: find_trained(folder, stage))
        else:
            train_stage(stage, folder, build_trainer, arguments)

    end_with(work, threads=arguments.threads)
