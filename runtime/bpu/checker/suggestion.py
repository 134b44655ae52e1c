"""One line of advice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Suggestion:
    """What would save time, or bring nodes to the BPU.

    Args:
        text: one line.
        nodes: names of the nodes that it is about.
        saves: share of the network's cycles, 0 to 1; None where it mends rather than saves.
    """

    text: str
    nodes: tuple[str, ...]
    saves: float | None = None
