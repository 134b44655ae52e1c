"""Writes what was fitted into a march file, each number with what it was fitted to."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.free_constants import FOLLOWERS, Constant
from benchmarks.march_text import march_text
from benchmarks.measurements import Measurement
from benchmarks.robust_fit import Fit
from runtime.bpu.march import march_path, parse_march

ENOUGH = 4
"""Below this many networks the errors say nothing and are not written."""
_FACTOR_REASONS = {
    "dense": "two passes of an 8-bit multiplier; no measurement of int16 is public",
    "depthwise": "two passes of an 8-bit multiplier; no measurement of int16 is public",
    "vector": "taps at scattered addresses; no measurement is public",
}


def write_fit(
    name: str,
    on_chip_mib: list[float] | str | None,
    constants: Mapping[str, Constant],
    found: Fit,
    rows: Sequence[Measurement],
    in_sample: Sequence[float],
    left_out: Sequence[float],
) -> None:
    """Changes the file of march `name`.

    Args:
        name: of the march.
        on_chip_mib: sizes of memory that were tried, or the march whose fit gave the size, or None.
        constants: before the fit.
        found: after it.
        rows: what was fitted; empty when the priors are all there is.
        in_sample: relative error of every row.
        left_out: the same, each predicted by a fit without it.
    """
    path = march_path(name)
    document = json.loads(path.read_text(encoding="utf-8"))
    what = f"benchmarks/latency_fit.py, robust least squares on log time, {len(rows)} networks"
    for constant, prior in constants.items():
        for key, factor in FOLLOWERS[constant]:
            *parents, last = key.split(".")
            node = document
            for parent in parents:
                node = node.get(parent, {})
            if last in node:
                node[last] = _backed(constant, factor, prior, found, what if rows else None)
    if on_chip_mib is not None:
        document["memory"]["on_chip_bytes"] = _on_chip(on_chip_mib, found.on_chip_bytes, what)
    document["accuracy"] = _accuracy(rows, in_sample, left_out, what)
    parse_march(document, place=str(path))
    path.write_text(march_text(document), encoding="utf-8")


def mean_absolute(errors: Sequence[float]) -> float:
    return sum(abs(error) for error in errors) / len(errors)


def _backed(constant: str, factor: float, prior: Constant, found: Fit, what: str | None) -> dict[str, Any]:
    value = float(f"{found.values[constant] * factor:.4g}")
    if factor != 1:
        reason = f"{_FACTOR_REASONS[constant]}: {factor:g} of `{constant}`"
        return {"value": value, "provenance": "assumed", "reason": reason}
    if what is None:
        return {"value": value, "provenance": "assumed", "reason": prior.reason}
    spread = f"prior {prior.prior:.4g} within a factor {math.exp(prior.spread):.2f}"
    return {
        "value": value,
        "provenance": "fitted",
        "fit": f"{what}; {spread}: {prior.reason}",
        "error": round(found.errors[constant], 3),
    }


def _on_chip(tried: list[float] | str, size: int, what: str) -> dict[str, Any]:
    if isinstance(tried, str):
        return {"value": size, "provenance": "assumed", "reason": f"that of {tried}, the same core"}
    sizes = ", ".join(str(size) for size in tried)
    return {"value": size, "provenance": "fitted", "fit": f"{what}; the best of {sizes} MiB", "error": None}


def _accuracy(
    rows: Sequence[Measurement], in_sample: Sequence[float], left_out: Sequence[float], what: str
) -> dict[str, Any]:
    enough = len(rows) >= ENOUGH
    networks = ", ".join(row.network for row in rows)
    return {
        "rows": len(rows),
        "in_sample": round(mean_absolute(in_sample), 4) if enough else None,
        "leave_one_out": round(mean_absolute(left_out), 4) if enough else None,
        "fit": f"{what}: {networks}" if rows else "no throughput of a public network is known for this march",
    }
