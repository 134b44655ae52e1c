"""Where the weights of a trained stage are."""

from pathlib import Path

from runtime.errors import RunError
from runtime.training.run_checkpoints import RunCheckpoints
from runtime.training.run_directory import find_runs


def find_trained(experiment: Path, stage: str) -> Path:
    """The best checkpoint of the latest finished run.

    Raises:
        RunError: no run has finished; the message says what to do.
    """
    runs = find_runs(experiment, stage)
    for run in reversed(runs):
        best = run.checkpoints / "best.safetensors"
        if run.record.get("status") == "finished" and best.is_file():
            return best
    train = f"specgen run {experiment} --stage {stage}"
    if runs:
        status = runs[-1].record.get("status")
        best = runs[-1].checkpoints / "best.safetensors"
        # A calibration leaves nothing to go on with, and a run may have ended before it did.
        resumable = RunCheckpoints(runs[-1].checkpoints).exists()
        way = f"finish it with `{train} --resume`" if resumable else f"run it again with `{train}`"
        other = f", or evaluate it as it is with `--checkpoint {best}`" if best.is_file() else ""
        raise RunError(
            f"no run of stage `{stage}` has finished, the newest, `{runs[-1].path.name}`, is {status}",
            place=str(experiment),
            hint=f"{way}{other}",
        )
    raise RunError(
        f"stage `{stage}` has not been trained", place=str(experiment), hint=f"train it with `{train}`"
    )
