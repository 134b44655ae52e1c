"""Rules that say whether the BPU runs a node; the first paragraph of each docstring is what people read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runtime.bpu.checker.finding import Finding, Level, against
from runtime.bpu.checker.multipliers import significant_bits
from runtime.bpu.checker.subject import Subject
from runtime.bpu.checker.sums import largest_sum
from runtime.bpu.march_data import CPU, UNSUPPORTED
from runtime.bpu.operation_measures import limits_broken

NodeRule = Callable[[Subject], Iterator[Finding]]


def operation_runs_on_the_bpu(subject: Subject) -> Iterator[Finding]:
    """A unit of the BPU does the operation; the march file names it."""
    rule, operation, march = subject.rule, subject.operation, subject.march
    if rule is None:
        yield Finding("unsupported", f"`{operation.op}` is not known to {march.name}")
    elif subject.home == CPU:
        yield against("cpu", f"`{operation.op}` runs on the CPU of {march.name}", rule.runs_on)
    elif subject.home == UNSUPPORTED:
        yield against("unsupported", f"`{operation.op}` is not supported on {march.name}", rule.runs_on)


def input_has_a_known_width(subject: Subject) -> Iterator[Finding]:
    """The unit reads codes of this width: int8 or int16."""
    if subject.rule is not None and subject.has_unit:
        yield from _width(subject, "input", subject.operation.in_bits)


def output_has_a_known_width(subject: Subject) -> Iterator[Finding]:
    """The unit writes codes of this width, int8 or int16, or accumulators, int32."""
    if subject.rule is not None and subject.has_unit:
        yield from _width(subject, "output", subject.operation.out_bits)


def _width(subject: Subject, side: str, bits: int) -> Iterator[Finding]:
    assert subject.rule is not None
    allowed = subject.rule.in_bits if side == "input" else subject.rule.out_bits
    if bits not in allowed.value:
        widths = ", ".join(f"int{width}" for width in allowed.value)
        text = f"`{subject.operation.op}` on {subject.march.name} takes {side} of {widths}, not int{bits}"
        yield against("cpu", text, allowed, found=bits)


def input_width_has_a_rate(subject: Subject) -> Iterator[Finding]:
    """The tensor engine multiplies codes of this width: the march file has a rate for it."""
    rates, bits = subject.march.tensor.macs_per_cycle, subject.operation.in_bits
    if subject.operation.has_weights and subject.home == "TAE" and bits not in rates:
        known = ", ".join(f"int{width}" for width in rates)
        text = f"the tensor engine of {subject.march.name} has a rate for {known}, not for int{bits}"
        yield Finding("cpu", text, found=bits, limit=tuple(rates))


def sizes_are_within_limits(subject: Subject) -> Iterator[Finding]:
    """Kernels, strides, channels, sides and counts keep the limits that the march file has for them."""
    if subject.has_unit:
        for broken in limits_broken(subject.march, subject.operation):
            bound = broken.limit.bound
            yield Finding(
                level="cpu",
                message=broken.text,
                measure=broken.limit.measure,
                found=broken.found,
                limit=bound.value,
                provenance=bound.provenance,
                why=bound.why,
            )


def multiplier_has_few_enough_bits(subject: Subject) -> Iterator[Finding]:
    """Rescaling multipliers have no more significant bits than the march applies; 1 means shifts only."""
    bits, known = significant_bits(subject.node), subject.march.arithmetic.multiplier_bits
    if subject.has_unit and bits > known.value:
        text = f"multipliers need {bits} significant bits, {subject.march.name} applies {known.value:g}"
        yield against("cpu", text, known, found=bits)


def sum_fits_the_accumulator(subject: Subject) -> Iterator[Finding]:
    """No input makes a sum that the accumulator does not hold: proven from the weights and widths."""
    total, known = largest_sum(subject), subject.march.arithmetic.accumulator_bits
    if subject.has_unit and total is not None and total.bits > known.value:
        text = (
            f"sums reach {total.largest}, which takes {total.bits} bits; the accumulator of "
            f"{subject.march.name} has {known.value:g}"
        )
        yield against("cpu", text, known, found=total.bits)


PLACEMENT_RULES: tuple[NodeRule, ...] = (
    operation_runs_on_the_bpu,
    input_has_a_known_width,
    output_has_a_known_width,
    input_width_has_a_rate,
    sizes_are_within_limits,
    multiplier_has_few_enough_bits,
    sum_fits_the_accumulator,
)


def keeps_from_bpu(subject: Subject) -> Iterator[tuple[str, Finding]]:
    """All that keeps a node from the BPU, each with the name of its rule; a node without any runs there."""
    for rule in PLACEMENT_RULES:
        for finding in rule(subject):
            yield rule.__name__, finding


def place_of(subject: Subject, levels: set[Level]) -> str:
    """Where a node runs: a unit, `CPU` or `unsupported`.

    Args:
        levels: of what the rules above found.
    """
    if "unsupported" in levels:
        return UNSUPPORTED
    return CPU if "cpu" in levels else subject.home
