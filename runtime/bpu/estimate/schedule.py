"""The time of a network as this compiler would have a chip run it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runtime.bpu.compiler.compile import compile_graph
from runtime.bpu.compiler.options import CompilerOptions
from runtime.bpu.march_data import March
from runtime.bpu.network_cost import network_microseconds
from runtime.bpu.performance.accuracy import schedule_accuracy
from runtime.bpu.performance.timeline import timeline
from runtime.errors import RunError
from runtime.hbir.graph import Graph


@dataclass(frozen=True)
class Schedule:
    """One run of a compiled network on one core.

    Args:
        microseconds: of the run.
        loaded_bytes: read from DDR.
        stored_bytes: written to DDR.
        accuracy: how far such times are from measurements, as in `performance.json`.
    """

    microseconds: float
    loaded_bytes: int
    stored_bytes: int
    accuracy: dict[str, Any]

    @property
    def ddr_bytes(self) -> int:
        return self.loaded_bytes + self.stored_bytes


@dataclass(frozen=True)
class NoSchedule:
    """Why a network cannot be compiled for a march: one sentence."""

    reason: str


def schedules_of(graph: Graph, marches: Sequence[March]) -> dict[str, Schedule | NoSchedule]:
    """By the name of the march, of all that are given."""
    found: dict[str, Schedule | NoSchedule] = {}
    for march in marches:
        try:
            found[march.name] = schedule_of(graph, march)
        except RunError as error:
            place = f"{error.place}: " if error.place else ""
            found[march.name] = NoSchedule(place + error.message)
    return found


def schedule_of(graph: Graph, march: March, options: CompilerOptions | None = None) -> Schedule:
    """Compiles a graph and times the program.

    Raises:
        RunError: see `compile_graph`.
    """
    program = compile_graph(graph, march, options)
    moved = {"LOAD": 0, "STORE": 0}
    for block in program.blocks:
        for instruction in block.instructions:
            if instruction.unit in moved:
                moved[instruction.unit] += block.turns * instruction.output.bytes
    return Schedule(
        network_microseconds(march, timeline(program).cycles),
        moved["LOAD"],
        moved["STORE"],
        schedule_accuracy(march, program.options),
    )
