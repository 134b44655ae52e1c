"""The ladder: the metrics of every stage that has a finished run, each beside the float model's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from specgen.experiment import Experiment
from specgen.stage_state import STAGE_ORDER, best_weights_digest, newest_finished

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
        stale: earlier stages whose weights have changed since this run started from them.
        remarks: what is special about the run: cut short, unlocked.
    """

    stage: str
    run: str
    values: Mapping[str, float]
    split: str
    num_samples: int
    data: str
    stale: tuple[str, ...]
    remarks: tuple[str, ...] = ()


class LadderError(Exception):
    """No stage has finished, or the stages were measured on different data; the text says what to do."""


class NoRung(LadderError):
    """No stage has finished with metrics."""


def ladder(experiment: Experiment) -> list[Rung]:
    """The rungs of an experiment, in the order of its stages.

    Raises:
        LadderError: two cannot be compared; `NoRung`: there is none.
    """
    rungs = [rung for stage in STAGE_ORDER if (rung := _rung(experiment, stage)) is not None]
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
    by_decoder = run.get("metrics", {}).get("best", {}).get("metrics", {})
    values: dict[str, float] = {}
    for decoder, of_decoder in by_decoder.items():
        for key, value in of_decoder.items():
            name = key if key not in values else f"{decoder}/{key}"
            values[name] = math.nan if value is None else value  # JSON has no NaN
    if not values:
        return None  # a stage without validation has nothing to show
    inputs = run.get("inputs", {})
    val = inputs.get("val", {})
    started_from = {name: source for name, source in inputs.items() if name in STAGE_ORDER}
    return Rung(
        stage=stage,
        run=folder.name,
        values=values,
        split=str(val.get("split")),
        num_samples=int(val.get("num_samples", 0)),
        data=str(val.get("digest")),
        stale=tuple(
            name
            for name, source in started_from.items()
            if source.get("digest") != best_weights_digest(experiment, name)
        ),
        remarks=tuple(_remarks(run)),
    )


def _remarks(run: Mapping[str, Any]) -> Iterator[str]:
    steps = run.get("options", {}).get("num_steps")
    if steps is not None:
        yield f"was cut short, by `--num-steps {steps}`"
    if run.get("unlocked"):
        yield "ran unlocked: something differed from the experiment's lock"


def columns(rungs: Sequence[Rung]) -> list[str]:
    """Names of the metrics, the main ones first, then the IoU of each class of the map."""
    names = list(dict.fromkeys(name for rung in rungs for name in rung.values))
    classes = [name for name in names if name.startswith(_CLASS_PREFIX) and name not in _LEFT_OUT]
    return [name for name in _MAIN if name in names] + classes


def rows(rungs: Sequence[Rung]) -> list[list[str]]:
    """The cells, head first: the values of each stage, and what it loses or gains against the first."""
    names = columns(rungs)
    table = [["stage", "run", *(name.replace("/", " ") for name in names)]]
    for rung in rungs:
        table.append([rung.stage, rung.run, *(_shown(rung.values.get(name)) for name in names)])
        if rung is not rungs[0]:
            first = rungs[0].values
            table.append(
                ["", f"against {rungs[0].stage}", *(_change(rung.values.get(n), first.get(n)) for n in names)]
            )
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
    return "\n".join([*lines, *_warnings(rungs)])


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
    return "\n".join([*lines, *_warnings(rungs)])


def as_json(experiment: Experiment, rungs: Sequence[Rung]) -> dict[str, Any]:
    """For programs."""
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
                "stale": list(rung.stale),
            }
            for rung in rungs
        ],
    }


def _headline(experiment: Experiment, rungs: Sequence[Rung]) -> str:
    first = rungs[0]
    return f"{experiment.name}, split {first.split}, {first.num_samples} samples, data {first.data[:12]}"


def _warnings(rungs: Sequence[Rung]) -> list[str]:
    lines = [
        f"warning: `{rung.run}` started from weights of `{name}` that are no longer the newest"
        for rung in rungs
        for name in rung.stale
    ]
    lines += [f"warning: `{rung.run}` {remark}" for rung in rungs for remark in rung.remarks]
    return ["", *lines] if lines else []
