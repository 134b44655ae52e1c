"""What a generated stage script calls: parse the command line, train or evaluate, end with the right exit
code."""

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from runtime.errors import RunError, disk_error
from runtime.training.predict_stage import predict_stage
from runtime.training.report import complain, stop_reporting
from runtime.training.stage_arguments import StageArguments, parse_stage_arguments
from runtime.training.stage_trainer import StageTrainer
from runtime.training.train_stage import train_stage

BuildTrainer = Callable[[], StageTrainer]

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
        with _ended_like_ctrl_c():
            status = _run(stage, Path(experiment), build_trainer, arguments)
        sys.exit(status)
    finally:
        stop_reporting()


@contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """A request to end (SIGTERM) leaves the run in the same order as Ctrl-C.

    Only the first: the next ones would interrupt the leaving. When it went to data workers too, torch may
    have told of their end by an error of its own.
    """
    asked = False

    def interrupt(number: int, frame: object) -> None:
        nonlocal asked
        if not asked:
            asked = True
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except Exception:
        if not asked:
            raise
        sys.exit(_EXIT_INTERRUPTED)
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(stage: str, experiment: Path, build_trainer: BuildTrainer, arguments: StageArguments) -> int:
    if arguments.threads is not None:
        torch.set_num_threads(arguments.threads)
    run = predict_stage if arguments.predict else train_stage
    try:
        run(stage, experiment, build_trainer, arguments)
    except RunError as error:
        complain(error)
        return _EXIT_FAILED
    except OSError as error:
        known = disk_error(error)
        if known is None:
            raise
        complain(known)
        return _EXIT_FAILED
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    return 0
