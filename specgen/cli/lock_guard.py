"""`run` and `predict` work on what the lock says, or say that they do not."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from specgen.experiment import Experiment
from specgen.printable import printable

if TYPE_CHECKING:
    from specgen.doctor.check import Check

UnlockedOption = Annotated[
    bool,
    typer.Option(
        "--unlocked", help="run although something differs from the lock; `run.json` then says what"
    ),
]


def guard(experiment: Experiment, unlocked: bool, *, record: str = "run.json") -> list[str]:
    """What differs from the lock, which stages started after this record; nothing when the lock is true.

    What cannot be looked at, as a spec outside the project, is told and recorded too, in the file `record`.

    Raises:
        typer.Exit: when something differs and that was not asked for; the message is printed.
    """
    from specgen.doctor.locks import lock_checks
    from specgen.lock_check import UNCHECKED, UNLOCKED

    os.environ.pop(UNLOCKED, None)
    os.environ.pop(UNCHECKED, None)
    shown = _shown(experiment)
    checks = list(lock_checks(experiment.folder, shown, experiment.project_root))
    found = [check for check in checks if check.status == "error"] + _data_checks(experiment, shown)
    lines = "".join(f"\n  {printable(check.text)}" for check in found)
    if found and not unlocked:
        hints = dict.fromkeys(printable(check.hint) for check in found if check.hint)
        way_out = f"`--unlocked` runs it as it is and says so in `{record}`"
        hint = "; ".join([*hints, way_out])
        print(f"error: `{printable(shown)}` is not what its lock says:{lines}\nhint: {hint}", file=sys.stderr)
        raise typer.Exit(1)
    unchecked = [check.text for check in checks if check.status == "warning"]
    if unchecked:
        told = "".join(f"\n  {printable(text)}" for text in unchecked)
        print(f"`{printable(shown)}` is not checked in full, `{record}` says so:{told}", file=sys.stderr)
        os.environ[UNCHECKED] = json.dumps(unchecked)
    if found:
        print(f"`{printable(shown)}` runs unlocked, `{record}` says so:{lines}", file=sys.stderr)
        os.environ[UNLOCKED] = json.dumps([check.text for check in found])
    return [check.text for check in found]


def _data_checks(experiment: Experiment, shown: str) -> list[Check]:
    """The packs that differ from those that the lock pins, if it pins any."""
    from specgen.cli.experiment_spec import experiment_spec
    from specgen.cli.pack_digests import pack_digests
    from specgen.doctor.check import Check
    from specgen.lock_check import data_differences, locked_data

    pinned = locked_data(experiment.folder)
    if not pinned:
        return []
    today = pack_digests(experiment_spec(experiment), experiment.project_root)
    hint = "`specgen build --lock-data` pins the packs that are there now"
    return [Check(shown, "error", text, hint) for text in data_differences(pinned, today)]


def _shown(experiment: Experiment) -> str:
    folder = experiment.folder
    return (
        str(folder.relative_to(experiment.project_root))
        if folder.parent.name == "experiments"
        else str(folder)
    )
