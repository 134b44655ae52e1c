"""Chips as data: the numbers of one march, each with where it is from, and what runs on which unit.

A march is a file, `marches/<name>.json` beside this module or any path that ends in `.json`; `march.py` reads
and checks it. No number of any chip stands in code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Where an operation can run: the four units, the host, nowhere.
UNITS = ("TAE", "VAE", "AAE", "DTE")
CPU, UNSUPPORTED = "CPU", "unsupported"


@dataclass(frozen=True)
class Quantity:
    """A number (or list, or word) and why one may believe it.

    Args:
        value: the number.
        provenance: `published`, `derived` from published numbers, `fitted` to measurements, or `assumed`.
        why: the source, the arithmetic, the fit, or the reason.
        error: standard error of the logarithm of a fitted number, None elsewhere and where it cannot be
            told.
    """

    value: float
    provenance: str
    why: str
    error: float | None = None


@dataclass(frozen=True)
class Word:
    """A unit's name or a yes or no, with where it is from."""

    value: str
    provenance: str
    why: str


@dataclass(frozen=True)
class Numbers:
    """A list of numbers that stand together, with where they are from."""

    value: tuple[int, ...]
    provenance: str
    why: str


@dataclass(frozen=True)
class Limit:
    """A bound of one measure of an operation (`operation_measures.py`).

    Args:
        measure: name of the measure.
        relation: `at_most`, `below`, `at_least`, or `one_of`.
        bound: with its provenance.
    """

    measure: str
    relation: str
    bound: Quantity | Numbers


@dataclass(frozen=True)
class OperationRule:
    """Where an operation runs, in which widths, within which limits."""

    runs_on: Word
    in_bits: Numbers
    out_bits: Numbers
    limits: tuple[Limit, ...]


@dataclass(frozen=True)
class TensorEngine:
    """Multiply-accumulates a cycle, by input width in bits and kind (`dense`, `pointwise`, `depthwise`)."""

    macs_per_cycle: Mapping[int, Mapping[str, Quantity]]


@dataclass(frozen=True)
class Lanes:
    """Values a cycle of the other units at int8; wider values take proportionally longer.

    Args:
        vector: elements that the VAE reads.
        pool: taps of pooling in the AAE.
        resize: taps of resizing in the AAE.
        warp: taps of grid sampling in the AAE.
        arrange: elements that the DTE moves.
    """

    vector: Quantity
    pool: Quantity
    resize: Quantity
    warp: Quantity
    arrange: Quantity


@dataclass(frozen=True)
class Memory:
    """Of one core: on-chip memory in bytes, DDR bandwidth in GB/s (1e9 bytes) and latency in ns."""

    on_chip_bytes: Quantity
    ddr_gb_per_s: Quantity
    ddr_latency_ns: Quantity


@dataclass(frozen=True)
class Alignment:
    """What sizes are padded to: channels and width in elements, rows in memory in bytes."""

    in_channels: Quantity
    out_channels: Quantity
    width: Quantity
    stride_bytes: Quantity


@dataclass(frozen=True)
class Arithmetic:
    """Significant bits of the rescaling multiplier (1: shifts only) and of the accumulator."""

    multiplier_bits: Quantity
    accumulator_bits: Quantity


@dataclass(frozen=True)
class Overhead:
    """Cycles of every operation beside its work, and microseconds of every run of a network."""

    operation_cycles: Quantity
    network_us: Quantity


@dataclass(frozen=True)
class ScheduleAccuracy:
    """How far the times of compiled programs are from silicon, as relative errors of saturated time.

    Args:
        errors: by measured network, each compiled for the chip that a fit without it finds; negative where
            the program is too fast.
        why: what was compiled, and how.
    """

    errors: Mapping[str, float]
    why: str

    @property
    def leave_one_out(self) -> float:
        """Mean absolute error."""
        return sum(map(abs, self.errors.values())) / len(self.errors)

    @property
    def bias(self) -> float:
        """Mean error with its sign."""
        return sum(self.errors.values()) / len(self.errors)


@dataclass(frozen=True)
class Accuracy:
    """How far predictions are from silicon, as mean absolute relative errors of saturated time.

    Args:
        rows: measurements that the fit saw.
        in_sample: on those.
        leave_one_out: each predicted by a fit without it; None with fewer than four.
        why: what was fitted to what.
        schedule: the same of compiled programs; None where nobody has told.
    """

    rows: int
    in_sample: float | None
    leave_one_out: float | None
    why: str
    schedule: ScheduleAccuracy | None = None


@dataclass(frozen=True)
class March:
    """One member of the chip family."""

    name: str
    chips: tuple[str, ...]
    summary: str
    cores: Quantity
    clock_ghz: Quantity
    advertised_tops: Quantity
    units: Mapping[str, Word]
    tensor: TensorEngine
    lanes: Lanes
    memory: Memory
    alignment: Alignment
    arithmetic: Arithmetic
    overhead: Overhead
    accuracy: Accuracy
    general_limits: tuple[Limit, ...]
    operations: Mapping[str, OperationRule]

    @property
    def ddr_bytes_per_cycle(self) -> float:
        return self.memory.ddr_gb_per_s.value / self.clock_ghz.value

    @property
    def ddr_latency_cycles(self) -> float:
        return self.memory.ddr_latency_ns.value * self.clock_ghz.value

    def supports(self, op: str, in_bits: int, out_bits: int) -> str | None:
        """None when `op` runs on the BPU with these widths, else why not.

        Shapes are another matter: see `broken_limits`.
        """
        rule = self.operations.get(op)
        if rule is None:
            return f"`{op}` is not known to {self.name}"
        unit = rule.runs_on
        if unit.value == CPU:
            return f"`{op}` runs on the CPU of {self.name}, not on its BPU ({unit.provenance}: {unit.why})"
        if unit.value == UNSUPPORTED:
            return f"`{op}` is not supported on {self.name} ({unit.provenance}: {unit.why})"
        for side, bits, allowed in (("input", in_bits, rule.in_bits), ("output", out_bits, rule.out_bits)):
            if bits not in allowed.value:
                widths = ", ".join(f"int{width}" for width in allowed.value)
                return (
                    f"`{op}` on {self.name} takes {side} of {widths}, not int{bits} "
                    f"({allowed.provenance}: {allowed.why})"
                )
        return None
