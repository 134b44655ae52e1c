"""What the newest compiled program is predicted to take on the chip, as its run recorded it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from specgen.experiment import Experiment
from specgen.stage_state import newest_finished, outdated, remarks

_STAGE = "compile"


@dataclass(frozen=True, slots=True)
class PredictedSpeed:
    """Latency and rate of a program.

    Attributes:
        run: folder of the newest finished run of `compile`.
        march: the chip.
        latency_us: of one frame on one core, microseconds.
        fps: frames a second on all cores.
        cores: how many those are.
        frame: what a frame is, in words.
        error: how far such predictions are from measured ones, in words.
        stale: earlier stages whose files have changed since this run worked on them.
        remarks: what is special about the run.
    """

    run: str
    march: str
    latency_us: float
    fps: float
    cores: int
    frame: str
    error: str
    stale: tuple[str, ...]
    remarks: tuple[str, ...]


def predicted_speed(experiment: Experiment) -> PredictedSpeed | None:
    """The prediction of an experiment, None where nothing has been compiled."""
    found = newest_finished(experiment, _STAGE)
    if found is None or not (told := found[1].get("performance")):
        return None
    folder, run = found
    return PredictedSpeed(
        run=folder.name,
        march=str(told["march"]),
        latency_us=float(told["latency_us"]),
        fps=float(told["fps"]),
        cores=int(told["cores"]),
        frame=str(told["frame"]),
        error=str(told["error"]),
        stale=outdated(experiment, _STAGE, run),
        remarks=tuple(remarks(run)),
    )


def in_words(speed: PredictedSpeed) -> str:
    """All but the error, on one line."""
    cores = "one core" if speed.cores == 1 else f"{speed.cores} cores"
    return (
        f"{speed.march}, predicted by {speed.run}: {speed.latency_us / 1e3:.2f} ms, {speed.fps:.1f} frames/s "
        f"on {cores} ({speed.frame})"
    )


def speed_document(speed: PredictedSpeed) -> dict[str, Any]:
    """For programs."""
    return {
        "run": speed.run,
        "march": speed.march,
        "latency_us": speed.latency_us,
        "fps": speed.fps,
        "cores": speed.cores,
        "frame": speed.frame,
        "error": speed.error,
        "stale": list(speed.stale),
    }
