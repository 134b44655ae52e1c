"""The cost of a whole network, as its tensors have bits now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from runtime.quantization.analysis.operation_work import Work, work
from runtime.quantization.graph import Operation, QuantizedGraph
from runtime.quantization.modules.base import QuantizedModule
from runtime.quantization.modules.conv import WeightedModule

_ACCUMULATOR_BITS = 32


class CycleModel(Protocol):
    """How long a chip takes for an operation."""

    def __call__(self, operation: Operation, in_bits: int, out_bits: int) -> float:
        """Cycles for one sample; 0 for what other operations contain.

        Args:
            operation: of the graph.
            in_bits: of the codes that it reads, the widest.
            out_bits: of the codes that it writes; 32 for an accumulator that leaves the network.

        Raises:
            RunError: the chip cannot do it with these widths.
        """


@dataclass(frozen=True)
class NetworkCost:
    """Of one sample.

    Args:
        macs: products of 8 x 8 bits, see `Work`.
        bytes: moved, see `Work`.
        cycles: of a chip; None where none is known.
    """

    macs: int
    bytes: int
    cycles: float | None

    def __sub__(self, other: NetworkCost) -> NetworkCost:
        cycles = None if self.cycles is None or other.cycles is None else self.cycles - other.cycles
        return NetworkCost(self.macs - other.macs, self.bytes - other.bytes, cycles)


def network_cost(graph: QuantizedGraph, cycles: CycleModel | None) -> NetworkCost:
    """The sum over all operations.

    Raises:
        RunError: the chip cannot do one of them with its widths.
    """
    total, sum_of_cycles = Work(0, 0), 0.0
    for operation in graph.operations:
        module = graph.modules[operation.name]
        in_bits, out_bits = widths(module)
        total += work(operation, module, in_bits, out_bits)
        if cycles is not None and not module.keep_float:
            sum_of_cycles += cycles(operation, in_bits, out_bits)
    return NetworkCost(total.macs, total.bytes, None if cycles is None else sum_of_cycles)


def widths(module: QuantizedModule) -> tuple[int, int]:
    """Of the widest input and of the result."""
    rounding = module.quant
    if isinstance(module, WeightedModule) and module.rounded_by is not None:
        rounding = module.rounded_by
    # The images come as bytes.
    in_bits = max((source.bits for source in module.sources), default=8)
    return in_bits, _ACCUMULATOR_BITS if rounding is None else rounding.bits
