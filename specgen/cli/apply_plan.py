"""`specgen run --stage calibration --apply-plan`: the plan's rules become a new spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from specgen.analysis_run import NoAnalysis, find_analysis
from specgen.emit.lock import LOCK, read_lock
from specgen.experiment import Experiment
from specgen.int16_spec import write_int16_spec
from specgen.stage_state import newest_finished
from specgen.write import WriteError


def apply_plan(experiment: Experiment) -> None:
    """Write the int16 rules of the newest analysis beside the spec of the experiment, as `<spec>_int16.yaml`.

    Raises:
        typer.Exit: there is no plan, it proposes nothing, or the file exists; the reason is told.
    """
    lock = read_lock((experiment.folder / LOCK).read_text(encoding="utf-8")) or {}
    spec = experiment.project_root / str(lock.get("spec"))
    new_spec = spec.with_name(f"{spec.stem}_int16.yaml")
    try:
        _check_place(experiment, spec, lock)
        newest = newest_finished(experiment, "calibration")
        if newest is None:
            raise NoAnalysis(f"error: no calibration of `{experiment.name}` has finished")
        found = find_analysis(experiment, newest[0].name)
        rules = found.document["plan"]["rules"]
        weights = newest[1].get("inputs", {}).get("float", {}).get("checkpoint")
        write_int16_spec(
            spec,
            rules,
            new_spec,
            why=f"the plan of `{found.folder.name}`",
            float_weights=_from_root(experiment, weights),
        )
    except (NoAnalysis, WriteError) as error:
        typer.echo(_told(error), err=True)
        raise typer.Exit(1) from error
    shown = new_spec.relative_to(experiment.project_root)
    typer.echo(f"{shown} raises {_count(rules)} to int16; build it with `specgen build {shown}`", err=True)


def _check_place(experiment: Experiment, spec: Path, lock: Mapping[str, object]) -> None:
    """Anybody may have written the lock, and what `--set` changed is in no spec."""
    if not (spec.is_file() and spec.resolve().is_relative_to(experiment.project_root.resolve())):
        raise WriteError(f"the spec that the lock names, `{lock.get('spec')}`, is not in this project")
    if sets := lock.get("set"):
        raise WriteError(
            f"`{experiment.name}` was built with `--set` {sets}, which a new spec would not have",
            "write these values into the spec, build it and calibrate again",
        )


def _told(error: NoAnalysis | WriteError) -> str:
    if isinstance(error, NoAnalysis):
        return str(error)
    return f"error: {error}" + (f"\nhint: {error.hint}" if error.hint else "")


def _from_root(experiment: Experiment, weights: object) -> str | None:
    """The path of a file that a run's record names by its place in the experiment."""
    if not isinstance(weights, str):
        return None
    path = experiment.folder / weights
    root = experiment.project_root.resolve()
    return path.resolve().relative_to(root).as_posix() if path.resolve().is_relative_to(root) else str(path)


def _count(rules: Sequence[object]) -> str:
    return f"{len(rules)} tensor{'' if len(rules) == 1 else 's'}"
