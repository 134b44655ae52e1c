"""The analysis as plain numbers and texts: what `analysis.json` holds; docs/quantization.md lists it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from runtime.quantization.analysis.compare import Comparison
from runtime.quantization.analysis.plan import Plan
from runtime.quantization.analysis.sensitivity import Sensitivity

VERSION = 1


def analysis_document(
    comparison: Comparison,
    sensitivities: Sequence[Sensitivity],
    plan: Plan,
    *,
    sensitivity_samples: int,
    march: str | None = None,
) -> dict[str, Any]:
    """The document, for `json` as it is.

    Args:
        comparison: of float and fixed point.
        sensitivities: the costliest first.
        plan: made on the samples of the comparison.
        sensitivity_samples: number of samples behind the sensitivities.
        march: name of the chip that the plan's cycles are of.
    """
    return {
        "version": VERSION,
        "march": march,
        "num_samples": comparison.num_samples,
        "sensitivity_samples": sensitivity_samples,
        "float_loss": comparison.float_loss,
        "fixed_loss": comparison.fixed_loss,
        "output_sqnr_db": comparison.output_sqnr_db,
        "ranges": [_listed(asdict(item)) for item in comparison.ranges],
        "layers": [asdict(item) for item in comparison.layers],
        "sensitivity": [asdict(item) for item in sensitivities],
        "worst_samples": [asdict(item) for item in comparison.worst_samples],
        "plan": {**_listed(asdict(plan)), "rules": [dict(rule) for rule in plan.rules]},
    }


def _listed(value: Any) -> Any:
    """With lists for tuples, as they come back from JSON."""
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value
