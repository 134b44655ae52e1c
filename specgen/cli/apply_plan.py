"""`specgen run --stage calibration --apply-plan`: the plan's rules become a new spec."""

from __future__ import annotations

import typer

from specgen.analysis_run import NoAnalysis, find_analysis
from specgen.emit.lock import LOCK, read_lock
from specgen.experiment import Experiment
from specgen.int16_spec import write_int16_spec
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
        found = find_analysis(experiment)
        rules = found.document["plan"]["rules"]
        write_int16_spec(spec, rules, new_spec, why=f"the plan of `{found.folder.name}`")
    except (NoAnalysis, WriteError) as error:
        typer.echo(_told(error), err=True)
        raise typer.Exit(1) from error
    shown = new_spec.relative_to(experiment.project_root)
    typer.echo(f"{shown} raises {len(rules)} tensors to int16; build it with `specgen build {shown}`", err=True)


def _told(error: NoAnalysis | WriteError) -> str:
    if isinstance(error, NoAnalysis):
        return str(error)
    return f"error: {error}" + (f"\nhint: {error.hint}" if error.hint else "")
