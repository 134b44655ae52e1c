"""What an estimate is of, in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Subject:
    """A network and what one run of it takes.

    Args:
        name: of the file or experiment.
        origin: what its operations were read from.
        run: what one run takes and gives, such as `x 1x3x224x224`.
        per_second: heading of the runs per second.
        kind: what the network is made of: `float` or `fixed point`.
    """

    name: str
    origin: str
    run: str
    per_second: str = "runs/s"
    kind: str = "float"
