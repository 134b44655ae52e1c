"""What the stages after training ask of what does their work."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from runtime.training.run_directory import RunDirectory
from runtime.training.stage_trainer import StageJudge


class StageTool(Protocol):
    """Makes a file out of what earlier stages made, or finds out something about it."""

    def sources(self, experiment: Path) -> dict[str, Path]:
        """The files of earlier stages that it works on, by stage.

        Raises:
            RunError: such a stage has no finished run.
        """

    def work(self, run: RunDirectory, sources: Mapping[str, Path]) -> dict[str, Any]:
        """Do the work in the folder of a run that has started; what to add to its record.

        Raises:
            RunError: what a person can mend.
        """


@runtime_checkable
class StageForChip(Protocol):
    """What is done for one chip, whose march is an input of the run.

    Attributes:
        march: the chip's name.
    """

    march: str


@runtime_checkable
class StageChecker(StageTool, Protocol):
    """A tool that holds the network against the chip.

    Attributes:
        strict: a node that falls to the CPU is an error.
    """

    strict: bool


class StagePredictor(StageTool, StageJudge, Protocol):
    """A tool that judges the file of an earlier stage on samples."""
