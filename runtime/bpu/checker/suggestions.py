"""What would save time or bring nodes to the BPU: small functions, one kind of advice each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from runtime.bpu.checker.grid_precision import grid_precision
from runtime.bpu.checker.limit_advice import LIMIT_ADVICE
from runtime.bpu.checker.report import CheckReport
from runtime.bpu.checker.subject import Subject
from runtime.bpu.checker.suggestion import Suggestion
from runtime.bpu.march_data import UNITS
from runtime.bpu.operation import Operation
from runtime.bpu.operation_cost import operation_work, packed_groups, work_cycles

_WORTH_SAYING = 0.001


@dataclass(frozen=True)
class _Line:
    """A suggestion for one node; equal texts become one."""

    text: str
    node: str
    saved_cycles: float | None = None


def suggestions_for(subjects: Sequence[Subject], report: CheckReport) -> tuple[Suggestion, ...]:
    """Advice for a checked graph: what mends first, then what saves, the largest saving first."""
    mending = [*_broken_limits(report), *_refused_widths(report), *_multipliers(report), *_grids(subjects)]
    running = {node.name for node in report.nodes if node.place in UNITS}
    on_bpu = [subject for subject in subjects if subject.node.name in running]
    saving = [line for subject in on_bpu for line in (*_channels(subject), *_narrower(subject))]
    total = sum(node.cycles or 0.0 for node in report.nodes)
    found = [*_joined(mending, total), *_joined(saving, total)]
    worth = [line for line in found if line.saves is None or line.saves >= _WORTH_SAYING]
    return tuple(sorted(worth, key=lambda line: -1.0 if line.saves is None else 1 - line.saves))


def _joined(lines: Iterable[_Line], total: float) -> Iterator[Suggestion]:
    groups: dict[str, list[_Line]] = {}
    for line in lines:
        groups.setdefault(line.text, []).append(line)
    for text, members in groups.items():
        nodes = tuple(dict.fromkeys(line.node for line in members))
        saved = [line.saved_cycles for line in members if line.saved_cycles is not None]
        yield Suggestion(text, nodes, sum(saved) / total if saved else None)


def _broken_limits(report: CheckReport) -> Iterator[_Line]:
    """A size beyond a limit has a way around it."""
    for remark in report.remarks:
        measure = remark.finding.measure
        if measure is not None:
            yield _Line(LIMIT_ADVICE[measure], remark.node)


def _refused_widths(report: CheckReport) -> Iterator[_Line]:
    """A width that the unit does not have can be given up by a rule of the spec."""
    for node in report.nodes:
        granted = node.widths.granted
        if granted is None:
            continue
        for side, asked, given in zip(("input", "output"), node.widths.requested, granted, strict=True):
            if asked != given:
                yield _Line(
                    f"int{asked} -> int{given} {side} of `{node.op}`, by a rule with `bits: {given}`",
                    node.name,
                )


def _multipliers(report: CheckReport) -> Iterator[_Line]:
    """Scales whose ratios are powers of two need shifts only."""
    for remark in report.remarks:
        if remark.rule == "multiplier_has_few_enough_bits":
            bits = int(report.march.arithmetic.multiplier_bits.value)
            what = "are powers of two" if bits == 1 else f"have {bits} significant bits"
            yield _Line(f"quantise with scales whose ratios {what}", remark.node)


def _grids(subjects: Iterable[Subject]) -> Iterator[_Line]:
    """Sampling points are as fine as the map allows."""
    for subject in subjects:
        grid = grid_precision(subject)
        if grid is None or grid.best_fraction_bits in (None, grid.fraction_bits):
            continue
        best = grid.best_fraction_bits
        yield _Line(
            f"points with {best} fraction bits instead of {grid.fraction_bits}: the map of {grid.side} "
            f"pixels allows it (`grid_quant_scale: 2^-{best}`)",
            subject.node.name,
        )


def _channels(subject: Subject) -> Iterator[_Line]:
    """Channels between two multiples of the alignment are computed as the larger one.

    In a grouped convolution these are the channels of the groups that are computed as one.
    """
    operation, step = subject.operation, int(subject.march.alignment.out_channels.value)
    if not operation.has_weights:
        return
    channels, groups, packed = (
        operation.out_channels,
        operation.groups,
        packed_groups(subject.march, operation),
    )
    if operation.kind == "depthwise":
        groups = packed = 1  # it pads the channels of all groups together
    aligned = channels // groups * packed // step * step
    fewer, more = (groups * (padded // packed) for padded in (aligned, aligned + step))
    if fewer in (0, channels) or more == channels:
        return
    saved = _cycles(subject, operation) - _cycles(subject, _with_channels(operation, fewer))
    inside = f" in {groups} groups" if groups > 1 else ""
    text = f"{channels} output channels{inside} cost as much as {more}; {fewer} would save"
    yield _Line(text, subject.node.name, max(saved, 0.0))


def _with_channels(operation: Operation, channels: int) -> Operation:
    """With fewer outputs, and inputs where each has its own."""
    out_shape = (operation.out_shape[0], channels, *operation.out_shape[2:])
    if operation.kind != "depthwise":
        return replace(operation, in_shapes=operation.in_shapes[:1], out_shape=out_shape)
    shape = operation.in_shapes[0]
    read = (shape[0], channels, *shape[2:])
    return replace(operation, in_shapes=(read,), out_shape=out_shape, groups=channels)


def _narrower(subject: Subject) -> Iterator[_Line]:
    """int16 takes longer than int8."""
    operation, rule = subject.operation, subject.rule
    if operation.in_bits <= 8 or rule is None or 8 not in rule.in_bits.value:
        return
    small = replace(operation, in_bits=8)
    saved = _cycles(subject, operation) - _cycles(subject, small)
    yield _Line(f"int16 -> int8 input of `{subject.node.op}`", subject.node.name, max(saved, 0.0))


def _cycles(subject: Subject, operation: Operation) -> float:
    return work_cycles(subject.march, operation_work(subject.march, operation)).cycles
