"""Finding the analysis that a stage has left in its run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specgen.experiment import Experiment

ANALYSIS = "analysis.json"
PAGE = "analysis.html"
VERSION = 1
_STAGE = "calibration"


class NoAnalysis(Exception):
    """There is no analysis to read; the text says why and what to do."""


@dataclass(frozen=True)
class AnalysisRun:
    """A run with an analysis.

    Args:
        folder: of the run.
        document: what `analysis.json` holds.
    """

    folder: Path
    document: dict[str, Any]

    @property
    def page(self) -> Path:
        """The same to look at in a browser."""
        return self.folder / PAGE


def find_analysis(experiment: Experiment, run: str | None = None) -> AnalysisRun:
    """The analysis of a run, else of the newest run that has one.

    Args:
        experiment: whose runs are searched.
        run: name of a run, or its number.

    Raises:
        NoAnalysis: there is none, or it is damaged or of another version.
    """
    folders = list(_runs(experiment))
    if run is not None:
        there = ", ".join(f"`{folder.name}`" for folder in reversed(folders))
        folders = [folder for folder in folders if run in (folder.name, folder.name.partition("-")[0])]
        if not folders:
            hint = f"there are {there}" if there else "run the stage `calibration`"
            raise NoAnalysis(f"error: `{experiment.name}` has no run `{run}` of calibration\nhint: {hint}")
    found = next((folder for folder in folders if (folder / ANALYSIS).is_file()), None)
    if found is None:
        where = f"the run `{run}`" if run is not None else f"`{experiment.name}`"
        hint = "run the stage `calibration`"
        if folders:
            hint += ", to its end and with `analysis_samples` of more than 0 in the spec"
        raise NoAnalysis(f"error: {where} has no `{ANALYSIS}`\nhint: {hint}")
    return AnalysisRun(found, _read(found / ANALYSIS))


def _runs(experiment: Experiment) -> Iterator[Path]:
    """Runs of the stage that analyses, newest first."""
    folders = experiment.folder.glob(f"runs/[0-9]*-{_STAGE}")
    numbered = [
        (int(number), folder) for folder in folders if (number := folder.name.partition("-")[0]).isdigit()
    ]
    yield from (folder for _, folder in sorted(numbered, reverse=True))


def _read(path: Path) -> dict[str, Any]:
    again = "hint: run the stage `calibration` again"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NoAnalysis(f"{path}: error: not readable ({error})\n{again}") from error
    version = document.get("version") if isinstance(document, dict) else None
    if version != VERSION:
        raise NoAnalysis(f"{path}: error: `version` is {version}, this specgen reads {VERSION}\n{again}")
    return dict(document)
