"""`run` and `predict` work on what the lock says, or say that they do not."""

from __future__ import annotations

import json
import os
import sys
from typing import Annotated

import typer

from specgen.experiment import Experiment

UnlockedOption = Annotated[
    bool,
    typer.Option(
        "--unlocked", help="run although something differs from the lock; `run.json` then says what"
    ),
]


def guard(experiment: Experiment, unlocked: bool) -> list[str]:
    """What differs from the lock, which stages started after this record; nothing when the lock is true.

    Raises:
        typer.Exit: when something differs and that was not asked for; the message is printed.
    """
    from specgen.cli.experiment_spec import experiment_spec
    from specgen.cli.pack_digests import pack_digests
    from specgen.lock_check import UNLOCKED, data_differences, differences, locked_data

    found = differences(experiment.folder, experiment.project_root)
    pinned = locked_data(experiment.folder)
    if pinned:
        today = pack_digests(experiment_spec(experiment), experiment.project_root)
        found += data_differences(pinned, today)
    os.environ.pop(UNLOCKED, None)
    if not found:
        return []
    lines = "".join(f"\n  {text}" for text in found)
    shown = _shown(experiment)
    if not unlocked:
        print(
            f"error: `{shown}` is not what its lock says:{lines}\n"
            "hint: build it again with `specgen build`, after moving edits to the spec; "
            "`--unlocked` runs it as it is and says so in `run.json`",
            file=sys.stderr,
        )
        raise typer.Exit(1)
    print(f"`{shown}` runs unlocked, `run.json` says so:{lines}", file=sys.stderr)
    os.environ[UNLOCKED] = json.dumps(found)
    return found


def _shown(experiment: Experiment) -> str:
    folder = experiment.folder
    return (
        str(folder.relative_to(experiment.project_root))
        if folder.parent.name == "experiments"
        else str(folder)
    )
