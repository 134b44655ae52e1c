"""Whether a march runs a graph on its BPU at all."""

from __future__ import annotations

from runtime.bpu.checker.placement import keeps_from_bpu
from runtime.bpu.checker.subject import subjects_of
from runtime.bpu.march_data import March
from runtime.errors import RunError
from runtime.hbir.graph import Graph

_HINT = "the stage `check` says which operations do not run there, and why"


def check_supported(graph: Graph, march: March) -> None:
    """Refuses the first node that the checker does not place on the BPU, by the same rules.

    Raises:
        RunError: there is one; the message is what the first rule that it breaks says.
    """
    for subject in subjects_of(graph, march):
        for _, finding in keeps_from_bpu(subject):
            raise RunError(finding.message, place=f"node `{subject.node.name}`", hint=_HINT)
