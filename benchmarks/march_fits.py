"""What is fitted to what for each march: `data/latency_priors.json` and `data/latency.csv`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.free_constants import Constant
from benchmarks.measurements import Measurement
from benchmarks.robust_fit import Fit, fit
from runtime.bpu.march import load_march
from runtime.bpu.march_data import March

_PRIORS = Path(__file__).parent / "data" / "latency_priors.json"


@dataclass(frozen=True)
class MarchFit:
    """The fit of one march, and what it was made of.

    Args:
        march: as its file has it.
        on_chip_mib: as the file of priors has it: sizes to try, another march, or None.
        constants: before the fit.
        sizes: of memory that are tried, in bytes.
        rows: what is fitted.
        checks: what is only predicted.
        found: after it.
    """

    march: March
    on_chip_mib: list[float] | str | None
    constants: Mapping[str, Constant]
    sizes: Sequence[int]
    rows: Sequence[Measurement]
    checks: Sequence[Measurement]
    found: Fit


def march_fits(measurements: Sequence[Measurement]) -> Iterator[MarchFit]:
    """One a march; those whose priors are another's fit come after it."""
    fits: dict[str, Fit] = {}
    for name, settings in json.loads(_PRIORS.read_text(encoding="utf-8")).items():
        march, rows = load_march(name), [row for row in measurements if row.march == name]
        constants = {key: _constant(key, node, fits) for key, node in settings["constants"].items()}
        sizes = _sizes(settings["on_chip_mib"], int(march.memory.on_chip_bytes.value), fits)
        fitted = [row for row in rows if row.use != "check"]
        checks = [row for row in rows if row.use == "check"]
        fits[name] = fit(march, fitted, constants, sizes)
        yield MarchFit(march, settings["on_chip_mib"], constants, sizes, fitted, checks, fits[name])


def _constant(name: str, node: Mapping[str, Any], fits: Mapping[str, Fit]) -> Constant:
    prior = fits[node["from"]].values[name] * node["scale"] if "from" in node else node["prior"]
    return Constant(prior, node["spread"], node["reason"])


def _sizes(choice: Any, stated: int, fits: Mapping[str, Fit]) -> list[int]:
    """Memory sizes to try, in bytes: a list of MiB, those of another march's fit, or what the file states."""
    if isinstance(choice, list):
        return [int(size * 2**20) for size in choice]
    return [fits[choice].on_chip_bytes] if choice else [stated]
