"""The ladder: the metrics of every stage that has a finished run, each beside the float model's, and the
speed that is predicted for the chip."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from specgen.experiment import Experiment
from specgen.predicted_speed import PredictedSpeed, in_words, predicted_speed, speed_document
from specgen.stage_state import newest_finished, outdated, remarks, works_on
from specgen.stage_table import STAGES, WEIGHTS

_MAIN = ("NDS", "mAP", "mIoU")
_CLASS_PREFIX = "IoU/"
# The index of unlabelled cells is no class of the map.
_LEFT_OUT = ("IoU/others",)


@dataclass(frozen=True, slots=True)
class Rung:
    """One stage of the ladder.

    Attributes:
        stage: its name.
        run: folder of its newest finished run.
        values: metrics by name, without the decoder's: `NDS`, `mIoU`, `IoU/divider`, ...
        split: what they were measured on.
        num_samples: how many samples that were.
        data: digest of the pack.
        stale: earlier stages whose files have changed since this run worked on them.
        remarks: what is special about the run: cut short, unlocked.
        outputs: digest of the raw outputs of all samples, for stages in fixed point.
        repeats: earlier stages whose outputs it must have: it runs what was exported from their weights.
    """

    stage: str
    run: str
    values: Mapping[str, float]
    split: str
    num_samples: int
    data: str
    stale: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    outputs: str | None = None
    repeats: tuple[str, ...] = ()


class LadderError(Exception):
    """No stage has finished, or the stages were measured on different data; the text says what to do."""


class NoRung(LadderError):
    """No stage has finished with metrics."""


def ladder(experiment: Experiment) -> list[Rung]:
    """The rungs of an experiment, in the order of its stages.

    Raises:
        LadderError: two cannot be compared; `NoRung`: there is none.
    """
    rungs = [rung for stage in STAGES if (rung := _rung(experiment, stage)) is not None]
    if not rungs:
        raise NoRung(
            f"error: no stage of `{experiment.name}` has finished\n"
            f"hint: run them with `specgen run {experiment.name}`"
        )
    for rung in rungs[1:]:
        if rung.data != rungs[0].data or rung.num_samples != rungs[0].num_samples:
            older = min(rungs[0], rung, key=lambda either: int(either.run.partition("-")[0]))
            raise LadderError(
                f"error: `{rungs[0].run}` was measured on {_data(rungs[0])}, `{rung.run}` on {_data(rung)}\n"
                f"hint: run the older one again, as in `specgen run {experiment.name} --stage {older.stage}`"
            )
    return rungs


def _data(rung: Rung) -> str:
    return f"{rung.num_samples} samples of {rung.data[:12]}"


def _rung(experiment: Experiment, stage: str) -> Rung | None:
    found = newest_finished(experiment, stage)
    if found is None:
        return None
    folder, run = found
    best = run.get("metrics", {}).get("best", {})
    by_decoder = best.get("metrics", {})
    values: dict[str, float] = {}
    for decoder, of_decoder in by_decoder.items():
        for key, value in of_decoder.items():
            name = key if key not in values else f"{decoder}/{key}"
            values[name] = math.nan if value is None else value  # JSON has no NaN
    if not values:
        return None  # a stage without validation has nothing to show
    val = run.get("inputs", {}).get("val", {})
    return Rung(
        stage=stage,
        run=folder.name,
        values=values,
        split=str(val.get("split")),
        num_samples=int(val.get("num_samples", 0)),
        data=str(val.get("digest")),
        stale=outdated(experiment, stage, run),
        remarks=tuple(remarks(run)),
        outputs=best.get("output_digest"),
        repeats=tuple(works_on(experiment, stage, run)) if STAGES[stage].takes is not None else (),
    )


def columns(rungs: Sequence[Rung]) -> list[str]:
    """Names of the metrics, the main ones first, then the IoU of each class of the map."""
    names = list(dict.fromkeys(name for rung in rungs for name in rung.values))
    classes = [name for name in names if name.startswith(_CLASS_PREFIX) and name not in _LEFT_OUT]
    return [name for name in _MAIN if name in names] + classes


def rows(rungs: Sequence[Rung]) -> list[list[str]]:
    """The cells, head first: the values of each stage, what it loses or gains against the first, and the
    first digits of the digest of its outputs where a stage has one."""
    names = columns(rungs)
    digests = any(rung.outputs for rung in rungs)
    table = [["stage", "run", *(name.replace("/", " ") for name in names), *["outputs"] * digests]]
    for rung in rungs:
        cells = [_shown(rung.values.get(name)) for name in names]
        table.append([rung.stage, rung.run, *cells, *[(rung.outputs or "")[:8]] * digests])
        if rung is not rungs[0]:
            first = rungs[0].values
            changes = [_change(rung.values.get(name), first.get(name)) for name in names]
            table.append(["", f"against {rungs[0].stage}", *changes, *[""] * digests])
    return table


def _shown(value: float | None) -> str:
    return "n/a" if value is None or math.isnan(value) else f"{value:.4f}"


def _change(value: float | None, first: float | None) -> str:
    if value is None or first is None or math.isnan(value) or math.isnan(first):
        return ""
    return f"{value - first:+.4f}"


def as_text(experiment: Experiment, rungs: Sequence[Rung]) -> str:
    """For a terminal."""
    table = rows(rungs)
    widths = [max(len(row[index]) for row in table) for index in range(len(table[0]))]
    lines = [_headline(experiment, rungs), ""]
    for row in table:
        cells = [
            cell.ljust(width) if index < 2 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    speed = predicted_speed(experiment)
    told = ["", in_words(speed), f"  error  {speed.error}"] if speed is not None else []
    return "\n".join([*lines, *told, *_warnings(rungs, speed)])


def as_markdown(experiment: Experiment, rungs: Sequence[Rung]) -> str:
    """For a pull request or a README."""
    head, *body = rows(rungs)
    lines = [
        f"{_headline(experiment, rungs)}:",
        "",
        "| " + " | ".join(head) + " |",
        "|---|---|" + "---:|" * (len(head) - 2),
    ]
    lines += ["| " + " | ".join(row) + " |" for row in body]
    speed = predicted_speed(experiment)
    told = ["", f"{in_words(speed)}; error {speed.error}"] if speed is not None else []
    return "\n".join([*lines, *told, *_warnings(rungs, speed)])


def as_json(experiment: Experiment, rungs: Sequence[Rung]) -> dict[str, Any]:
    """For programs."""
    speed = predicted_speed(experiment)
    return {
        "experiment": experiment.name,
        "split": rungs[0].split,
        "num_samples": rungs[0].num_samples,
        "data": rungs[0].data,
        "rungs": [
            {
                "stage": rung.stage,
                "run": rung.run,
                "metrics": {key: None if math.isnan(value) else value for key, value in rung.values.items()},
                "outputs": rung.outputs,
                "stale": list(rung.stale),
            }
            for rung in rungs
        ],
        "predicted": None if speed is None else speed_document(speed),
    }


def _headline(experiment: Experiment, rungs: Sequence[Rung]) -> str:
    first = rungs[0]
    return f"{experiment.name}, split {first.split}, {first.num_samples} samples, data {first.data[:12]}"


def _warnings(rungs: Sequence[Rung], speed: PredictedSpeed | None) -> list[str]:
    shown: list[Rung | PredictedSpeed] = [*rungs, *([speed] if speed is not None else [])]
    lines = [f"warning: `{one.run}` started from {_stale(name)}" for one in shown for name in one.stale]
    lines += [
        f"warning: the outputs of `{rung.run}` are not those of `{other.run}`, whose weights it runs"
        for rung in rungs
        for other in rungs
        if other.stage in rung.repeats
        and other.outputs
        and rung.outputs != other.outputs
        and not set(rung.repeats) & set(rung.stale)
    ]
    lines += [f"warning: `{one.run}` {remark}" for one in shown for remark in one.remarks]
    return ["", *lines] if lines else []


def _stale(stage: str) -> str:
    what, are = ("weights", "are") if STAGES[stage].makes == WEIGHTS else ("a file", "is")
    return f"{what} of `{stage}` that {are} no longer the newest"
