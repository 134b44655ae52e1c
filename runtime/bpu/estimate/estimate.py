"""Time of a network on a chip, operation by operation, what the chip does not run, and how sure this is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from runtime.bpu.error_words import error_words
from runtime.bpu.march_data import March
from runtime.bpu.network_cost import network_microseconds
from runtime.bpu.operation import Operation
from runtime.bpu.operation_cost import Cost, operation_cycles
from runtime.bpu.operation_measures import broken_limits

_MUCH = 0.5
"""Of the cycles: bound by DDR to an extent that is worth a word."""


@dataclass(frozen=True)
class Timed:
    """An operation that runs on the BPU.

    Args:
        operation: in the widths that it was counted in.
        cost: of one run.
        asked_bits: the width that was asked for, where the march does not take it; None elsewhere.
    """

    operation: Operation
    cost: Cost
    asked_bits: int | None = None


@dataclass(frozen=True)
class Refused:
    """An operation that does not run on the BPU, and is in no sum of an estimate.

    Args:
        operation: as it was asked for.
        rules: those that it breaks, each a sentence with the limit and where it is from.
    """

    operation: Operation
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Estimate:
    """One run of a network on one core of a march, as long as the BPU is busy with it.

    Args:
        march: the chip.
        timed: operations on the BPU, in order.
        refused: operations that the march runs on the CPU or not at all.
    """

    march: March
    timed: tuple[Timed, ...]
    refused: tuple[Refused, ...]

    @property
    def cycles(self) -> float:
        """Of all operations on the BPU."""
        return math.fsum(timed.cost.cycles for timed in self.timed)

    @property
    def milliseconds(self) -> float:
        """Of one run on one busy core: the inverse of its saturated throughput."""
        return network_microseconds(self.march, self.cycles) / 1e3

    @property
    def runs_per_second(self) -> float:
        """Of all cores, each with a run of its own."""
        return 1e3 * self.march.cores.value / self.milliseconds

    @property
    def macs(self) -> int:
        """Multiply-accumulates of weights, without padding."""
        return sum(timed.operation.macs for timed in self.timed if timed.operation.has_weights)

    @property
    def load_bytes(self) -> int:
        return sum(timed.cost.load_bytes for timed in self.timed)

    @property
    def store_bytes(self) -> int:
        return sum(timed.cost.store_bytes for timed in self.timed)

    @property
    def ddr_gb_per_s(self) -> float:
        """Bytes to and from DDR over the time of the run, in 1e9 bytes a second, of one core."""
        return (self.load_bytes + self.store_bytes) / self.milliseconds / 1e6

    @property
    def utilisation(self) -> float:
        """Share of the tensor engine's int8 rate for dense convolutions that does useful work, 0 to 1."""
        possible = self.milliseconds * 1e6 * self.march.clock_ghz.value
        return self.macs / (possible * self.march.tensor.macs_per_cycle[8]["dense"].value)

    @property
    def accuracy(self) -> str:
        """How far such estimates are from measurements, in words."""
        accuracy = self.march.accuracy
        return error_words(accuracy.leave_one_out, accuracy.rows)

    @property
    def caveats(self) -> tuple[str, ...]:
        """Why the error of the measured networks may not hold for this one."""
        found = []
        batch = max((timed.operation.out_shape[0] for timed in self.timed), default=1)
        if batch > 1:
            found.append(
                f"up to {batch} maps at a time, where every measured network has one: a compiler that "
                "computes one after the other moves less through DDR"
            )
        waiting = math.fsum(timed.cost.cycles for timed in self.timed if timed.cost.bound == "ddr")
        if waiting > _MUCH * self.cycles:
            found.append(
                f"{waiting / self.cycles:.0%} of the cycles are of operations bound by DDR: maps that stay "
                "on the chip from one operation to the next, part by part, would need fewer"
            )
        return tuple(found)


def estimate(operations: Iterable[Operation], march: March) -> Estimate:
    """Predicts one run of a network; an operation that does not run on the BPU is in `refused` and in no sum.

    Where the march does not take an operation in 16 bits, it is counted in 8.
    """
    timed: list[Timed] = []
    refused: list[Refused] = []
    for operation in operations:
        granted = _granted(operation, march)
        rules = _rules(granted or operation, march)
        if granted is None or rules:
            refused.append(Refused(operation, rules))
            continue
        asked = operation.in_bits if granted.in_bits < operation.in_bits else None
        if asked is None and granted.out_bits < operation.out_bits:
            asked = operation.out_bits
        timed.append(Timed(granted, operation_cycles(march, granted), asked))
    return Estimate(march, tuple(timed), tuple(refused))


def with_bits(operations: Sequence[Operation], bits: int) -> list[Operation]:
    """The same operations with activations of 8 or 16 bits; results of 32 stay accumulators."""
    return [
        replace(operation, in_bits=bits, out_bits=operation.out_bits if operation.out_bits == 32 else bits)
        for operation in operations
    ]


def _granted(operation: Operation, march: March) -> Operation | None:
    """The operation in the widest form that the march takes; None where it takes none."""
    out = operation.out_bits
    widths = [(operation.in_bits, out), (operation.in_bits, min(out, 8)), (8, out), (8, min(out, 8))]
    for in_bits, out_bits in widths:
        if march.supports(operation.op, in_bits, out_bits) is None:
            return replace(operation, in_bits=in_bits, out_bits=out_bits)
    return None


def _rules(operation: Operation, march: March) -> tuple[str, ...]:
    refusal = march.supports(operation.op, operation.in_bits, operation.out_bits)
    return (refusal,) if refusal is not None else tuple(broken_limits(march, operation))
