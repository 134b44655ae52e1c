"""Where the files are that the stages after training make."""

from pathlib import Path

from runtime.errors import RunError
from runtime.training.run_directory import RunDirectory, file_digest, find_runs

HBIR_FILE = "model.hbir.onnx"
HBM_FILE = "model.hbm"
EXPORT, CHECK, COMPILE = "export", "check", "compile"


def find_made(experiment: Path, stage: str, file: str) -> Path:
    """The file that the latest finished run of a stage has made.

    Raises:
        RunError: no run has finished, or of a newer one nobody can tell, as its record is damaged; the
            message says what to do.
    """
    for run in reversed(find_runs(experiment, stage)):
        path = run.path / file
        if run.record.get("status") == "finished" and path.is_file():
            return path
    raise RunError(
        f"no run of stage `{stage}` has finished",
        place=str(experiment),
        hint=f"run it with `specgen run {experiment} --stage {stage}`",
    )


def compiled_from(program: Path) -> Path:
    """The exported file that a `model.hbm` in the folder of its run was compiled from.

    Raises:
        RunError: it is in no such folder, or that file is no longer what it was.
    """
    folder = program.absolute().parent
    record = RunDirectory(folder).record if (folder / "run.json").is_file() else {}
    source = record.get("inputs", {}).get(EXPORT)
    if not source:
        raise RunError(
            "nothing beside this file says from which export it was compiled",
            place=str(program),
            hint=f"name the `{HBM_FILE}` of a run of stage `{COMPILE}`",
        )
    path = folder.parent.parent / source["checkpoint"]
    if file_digest(path) != source["digest"]:
        raise RunError(
            "this file has changed since it was compiled, or is gone",
            place=str(path),
            hint=f"run stage `{COMPILE}` again",
        )
    return path
