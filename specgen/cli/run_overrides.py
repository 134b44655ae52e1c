"""What the command line of `specgen run` overrides, and which stages that is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import typer

from specgen.stage_table import STAGES, StageFacts

_LIKE_TRAINING = StageFacts(in_steps=True, evaluates=True)


@dataclass(frozen=True, slots=True)
class Overrides:
    """The options of the command; None and False where nothing was said.

    Attributes:
        resume: go on with a run.
        run: which one; the newest unfinished one by default.
        num_steps: optimiser steps, or batches of a calibration.
        device: where models run.
        threads: CPU threads of torch.
        strict: a node that falls to the CPU is an error.
    """

    resume: bool = False
    run: str | None = None
    num_steps: int | None = None
    device: str | None = None
    threads: int | None = None
    strict: bool = False

    def check(self, stage: str) -> None:
        """Refuse what the stage that was asked for has no use for.

        Raises:
            typer.BadParameter: the text says which stages it is for.
        """
        facts = STAGES.get(stage, _LIKE_TRAINING)
        for given, fits, option in (
            (self.resume, facts.in_steps, "--resume"),
            (self.num_steps, facts.in_steps, "--num-steps"),
            (self.device, facts.evaluates, "--device"),
        ):
            if given and not fits:
                others = [
                    f"`{name}`"
                    for name, other in STAGES.items()
                    if (other.evaluates if option == "--device" else other.in_steps)
                ]
                raise typer.BadParameter(
                    f"`{option}` is for the stages {', '.join(others)}, not for `{stage}`"
                )

    def arguments(self, stage: str) -> list[str]:
        """The command line of the stage's script: what is for other stages is left out."""
        facts = STAGES.get(stage, _LIKE_TRAINING)
        found = []
        if self.resume and facts.in_steps:
            found += ["--resume"] if self.run is None else ["--resume", self.run]
        if self.num_steps is not None and facts.in_steps:
            found += ["--num-steps", str(self.num_steps)]
        if self.device is not None and facts.evaluates:
            found += ["--device", self.device]
        if self.threads is not None:
            found += ["--threads", str(self.threads)]
        if self.strict and facts.judges:
            found += ["--strict"]
        return found

    def recorded(self, stage: str) -> dict[str, Any]:
        """The `options` in `run.json` of a run that had these."""
        facts = STAGES[stage]
        return {
            **({"num_steps": self.num_steps} if facts.in_steps else {}),
            **({"device": self.device} if facts.evaluates else {}),
            **({"strict": self.strict} if facts.judges else {}),
        }
