"""What commands take that read an exported model: its file, or the experiment whose newest export it is."""

from __future__ import annotations

from pathlib import Path

from specgen.experiment import Experiment, find_experiment
from specgen.stage_state import newest_made

_STAGE = "export"
_SUFFIX = ".onnx"


def hbir_file(given: str | None) -> Path:
    """The file that the user named; for an experiment that of its newest finished run of `export`.

    Raises:
        ExperimentNotFound: it is neither a file nor an experiment.
        RunError: the experiment has no such run.
        DamagedRecord: see `newest_export`.
    """
    if given is not None and (given.endswith(_SUFFIX) or Path(given).is_file()):
        return Path(given)
    experiment = find_experiment(given)
    found = newest_export(experiment)
    if found is None:
        from runtime.errors import RunError

        raise RunError(
            f"no run of stage `{_STAGE}` has finished",
            place=str(experiment.folder),
            hint=f"run it with `specgen run {experiment.folder} --stage {_STAGE}`",
        )
    return found


def newest_export(experiment: Experiment) -> Path | None:
    """The file of the newest finished run of `export`; None when there is no such run.

    Raises:
        DamagedRecord: of a newer run nobody can tell whether it has finished.
    """
    return newest_made(experiment, _STAGE)
