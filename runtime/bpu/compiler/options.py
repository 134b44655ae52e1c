"""What a person chooses of a compilation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from runtime.errors import RunError

Level = Literal[0, 1, 2]
Objective = Literal["latency", "ddr"]


@dataclass(frozen=True)
class CompilerOptions:
    """How hard the compiler tries, and at what.

    Args:
        optimization_level: 0: every tensor lies in DDR between the layers. 1: tensors stay on the chip where
            they fit, transfers run ahead of the layers that need them. 2: layers are computed together, some
            rows at a time, where that saves.
        objective: what parts and groups are chosen for: the fewest cycles, or the fewest bytes of DDR.
        row_parts: into how many parts to cut the rows of every group, as far as they can be cut.
        channel_parts: the same for channels; each is the compiler's choice if None.

    Raises:
        RunError: no such level or objective, fewer than one part.
    """

    optimization_level: Level = 2
    objective: Objective = "latency"
    row_parts: int | None = None
    channel_parts: int | None = None

    def __post_init__(self) -> None:
        if self.optimization_level not in get_args(Level):
            raise RunError(f"`optimization_level` is {self.optimization_level!r}, expected 0, 1 or 2")
        if self.objective not in get_args(Objective):
            raise RunError(f"`objective` is {self.objective!r}, expected `latency` or `ddr`")
        for key in ("row_parts", "channel_parts"):
            parts = getattr(self, key)
            if parts is not None and parts < 1:
                raise RunError(f"`{key}` is {parts}, expected at least 1")

    def as_mapping(self) -> dict[str, int | str]:
        """By name, without what is left to the compiler."""
        found = {
            "optimization_level": self.optimization_level,
            "objective": self.objective,
            "row_parts": self.row_parts,
            "channel_parts": self.channel_parts,
        }
        return {key: value for key, value in found.items() if value is not None}
