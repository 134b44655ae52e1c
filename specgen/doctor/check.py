"""One thing that was looked at, and how it was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Check:
    """One finding.

    Attributes:
        section: what it belongs to: `environment`, or an experiment's path.
        status: `error` for what has to be mended, `warning` for what may be meant so.
        text: what was found.
        hint: the next step.
        quiet: whether a summary may leave it out when it is ok.
    """

    section: str
    status: Status
    text: str
    hint: str | None = None
    quiet: bool = False
