"""Starting a generated stage script, or a module that imports an experiment, as a process of its own."""

import os
import signal
import subprocess
import sys

import typer

from specgen.experiment import Experiment
from specgen.stage_table import STAGES

_INTERRUPTED = 130


def run_stage_script(experiment: Experiment, stage: str, arguments: list[str]) -> int:
    """Runs `stages/<stage>.py` from the project root and returns its exit status."""
    script = experiment.stage_script(stage)
    if not script.is_file():
        typer.echo(_missing_stage(experiment, stage), err=True)
        return 1 if stage in STAGES else 2
    return _status_of([sys.executable, str(script), *arguments], experiment)


def run_module(experiment: Experiment, module: str, arguments: list[str]) -> int:
    """Runs `python -m module` from the project root, whose files it does not import by that, and returns its
    exit status."""
    return _status_of([sys.executable, "-P", "-m", module, *arguments], experiment)


def _status_of(command: list[str], experiment: Experiment) -> int:
    """Starts a process and waits for it.

    One that is to stop, by Ctrl-C or a request to end, is asked to and waited for, so that it can leave in
    order. It ignores the Ctrl-C of the terminal itself: importing torch would answer that with a traceback.
    """
    process = _started(command, experiment)
    interrupted = False
    while True:
        try:
            status = process.wait()
            return _INTERRUPTED if interrupted and status != 0 else _shell_status(status)
        except KeyboardInterrupt:
            interrupted = True
            process.terminate()


def _started(command: list[str], experiment: Experiment) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited by the process
    try:
        return subprocess.Popen(command, cwd=experiment.project_root, env=environment)
    finally:
        signal.signal(signal.SIGINT, before)


def _shell_status(status: int) -> int:
    """A process ended by signal n reports -n to Python; shells say 128 + n."""
    return 128 - status if status < 0 else status


def _missing_stage(experiment: Experiment, stage: str) -> str:
    can = ", ".join(f"`{name}`" for name in experiment.stages) or "none"
    if stage in STAGES:
        return (
            f"error: experiment `{experiment.name}` has no stage `{stage}` that this version can run\n"
            f"hint: stages here: {can}"
        )
    return f"error: `{stage}` is not a stage; the stages are {', '.join(f'`{name}`' for name in STAGES)}"
