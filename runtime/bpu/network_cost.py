"""Time of a whole network on one core: the sum over its operations, and a fixed part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.bpu.march_data import March
from runtime.bpu.operation import Operation
from runtime.bpu.operation_cost import Cost, operation_cycles


@dataclass(frozen=True)
class NetworkCost:
    """Cost of every operation, in order, and the time of one run.

    Args:
        costs: one an operation.
        microseconds: of one run on a busy core: the inverse of a core's saturated throughput.
    """

    costs: tuple[Cost, ...]
    microseconds: float


def network_cost(march: March, operations: Sequence[Operation]) -> NetworkCost:
    """Predicts the time of one run: `sum(cycles) / clock + network_us`.

    Raises:
        RunError: when an operation does not run on the march's BPU.
    """
    costs = tuple(operation_cycles(march, operation) for operation in operations)
    return NetworkCost(costs, network_microseconds(march, sum(cost.cycles for cost in costs)))


def network_microseconds(march: March, cycles: float) -> float:
    """Time of one run whose operations take so many cycles together, in microseconds."""
    return cycles / (march.clock_ghz.value * 1e3) + march.overhead.network_us.value
