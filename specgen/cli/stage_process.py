"""Starting a generated stage script as its own process."""

import os
import subprocess
import sys

import typer

from specgen.experiment import Experiment
from specgen.stage_state import STAGE_ORDER


def run_stage_script(experiment: Experiment, stage: str, arguments: list[str]) -> int:
    """Runs `stages/<stage>.py` from the project root and returns its exit status.

    Ctrl-C reaches the script from the terminal; it is waited for, so that it can leave its run in order.
    """
    script = experiment.stage_script(stage)
    if not script.is_file():
        typer.echo(_missing_stage(experiment, stage), err=True)
        return 1 if stage in STAGE_ORDER else 2
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, str(script), *arguments], cwd=experiment.project_root, env=environment
    )
    while True:
        try:
            return _shell_status(process.wait())
        except KeyboardInterrupt:
            continue


def _shell_status(status: int) -> int:
    """A process ended by signal n reports -n to Python; shells say 128 + n."""
    return 128 - status if status < 0 else status


def _missing_stage(experiment: Experiment, stage: str) -> str:
    can = ", ".join(f"`{name}`" for name in experiment.stages) or "none"
    if stage in STAGE_ORDER:
        return (
            f"error: experiment `{experiment.name}` has no stage `{stage}` that this version can run\n"
            f"hint: stages here: {can}"
        )
    return f"error: `{stage}` is not a stage; the stages are {', '.join(f'`{name}`' for name in STAGE_ORDER)}"
