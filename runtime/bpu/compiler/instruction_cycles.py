"""Cycles of an instruction: the analytic model of `operation_cost` for a part of a layer, or a transfer.

    compute   = work of the part / rate of its unit, padded as that of a layer
    transfer  = latency + bytes / ddr
    overhead  = operation_cycles, once a layer: divided among its turns, with the first part of each

So the parts of a layer that is not cut take `Cost.compute + Cost.overhead` together.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

from runtime.bpu.graph_operations import operation_of
from runtime.bpu.march_data import March
from runtime.bpu.operation import Operation
from runtime.bpu.operation_cost import operation_work, work_cycles
from runtime.bpu.program.instruction import UNITS, Unit
from runtime.hbir.graph import Graph
from runtime.hbir.tensor_type import Shape


class InstructionCycles:
    """How long each unit of a march takes for parts of a graph's layers."""

    def __init__(self, graph: Graph, march: March) -> None:
        self._march = march
        self._operations = [operation_of(graph, node) for node in graph.nodes]
        self.units = [_unit(march, operation.op) for operation in self._operations]
        self._compute = cache(self._computed)

    def compute(self, layer: int, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Of a part that reads boxes of these shapes; the points of a grid, constant or not, count as one."""
        return self._compute(layer, inputs, output)

    def transfer(self, count: int) -> int:
        """Of so many bytes between DDR and the chip."""
        return math.ceil(self._march.ddr_latency_cycles + count / self._march.ddr_bytes_per_cycle)

    def overhead(self, turns: int) -> int:
        """What starting a layer takes in each of its turns."""
        return math.ceil(self._march.overhead.operation_cycles.value / turns)

    def _computed(self, layer: int, inputs: tuple[Shape, ...], output: Shape) -> int:
        whole = self._operations[layer]
        groups = whole.groups if whole.op != "conv" else _groups(whole, inputs[0][1])
        part = replace(whole, in_shapes=inputs, out_shape=output, groups=groups)
        work = replace(operation_work(self._march, part), load_bytes=0, store_bytes=0)
        return max(1, math.ceil(work_cycles(self._march, work).compute))


def _unit(march: March, op: str) -> Unit:
    """The unit that runs an operation; `check_supported` has seen that it is one."""
    name = march.operations[op].runs_on.value
    return next(unit for unit in UNITS if unit == name)


def _groups(whole: Operation, channels: int) -> int:
    return max(1, whole.groups * channels // whole.in_channels)
