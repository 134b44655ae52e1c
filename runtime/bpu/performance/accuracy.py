"""How far the latency of a program is from silicon, as `performance.json` says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.bpu.compiler.options import CompilerOptions
from runtime.bpu.error_words import error_words
from runtime.bpu.march_data import March

MEASURED = CompilerOptions().as_mapping()
"""Options with which the measured networks were compiled."""
_OTHER = "not known for these options: the measured networks were compiled at level 2 for latency"
_NEVER = "not known: the measured networks were not compiled for this march"
_OF = (
    "programs of measured networks, one image a run, compiled with these options, each for the chip as "
    "fitted to the others"
)


def schedule_accuracy(march: March, options: Mapping[str, Any]) -> dict[str, Any]:
    """The error of programs that were compiled with such options, and that of the analytic model.

    Returns:
        `text`; `leave_one_out`, `bias` (None: not known), `measured_networks` and `of` what; `analytic` with
        `text` and `leave_one_out`.
    """
    accuracy = march.accuracy
    found = accuracy.schedule if dict(options) == dict(MEASURED) else None
    if found is not None:
        text = error_words(found.leave_one_out, len(found.errors))
    elif accuracy.leave_one_out is None:
        text = error_words(None, accuracy.rows)
    else:
        text = _OTHER if accuracy.schedule is not None else _NEVER
    return {
        "text": text,
        "leave_one_out": None if found is None else found.leave_one_out,
        "bias": None if found is None else found.bias,
        "measured_networks": accuracy.rows if found is None else len(found.errors),
        "of": _OF,
        "analytic": {
            "text": error_words(accuracy.leave_one_out, accuracy.rows),
            "leave_one_out": accuracy.leave_one_out,
        },
    }
