"""An estimate as short text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from runtime.bpu.estimate.estimate import Estimate, Refused, Timed
from runtime.bpu.estimate.network import Network
from runtime.bpu.estimate.schedule import NoSchedule, Schedule
from runtime.bpu.estimate.subject import Subject
from runtime.text_columns import aligned_columns

# The size found, in the sentence of a broken limit.
_SIZE = re.compile(r"(?<= is )\d+(?=, must be )")


def estimates_text(
    subject: Subject,
    network: Network,
    estimates: Sequence[Estimate],
    *,
    top: int,
    schedules: Mapping[str, Schedule | NoSchedule] | None = None,
) -> str:
    """What was estimated, one table of all marches, and what each of them says of it.

    Args:
        subject: where the network is from.
        network: its operations.
        estimates: one a march.
        top: how many of the slowest operations are listed for each march.
        schedules: of the compiled network, by march.
    """
    macs = sum(operation.macs for operation in network.operations if operation.has_weights)
    lines = [
        subject.name,
        f"from {subject.origin}",
        f"one run: {subject.run}",
        f"{len(network.operations)} operations, {macs / 1e9:.3f} G multiply-accumulates with weights",
        "",
        *_summary(subject, estimates),
    ]
    if schedules:
        lines += ["", *_schedules(schedules)]
    for found in estimates:
        section = _march(found, top)
        lines += ["", *section] if section else []
    notes = [left_out.text for left_out in network.left_out]
    notes += [assumption.text for assumption in network.assumptions]
    if notes:
        lines += ["", "of every march", *(f"  {note}" for note in notes)]
    return "\n".join(lines)


def _summary(subject: Subject, estimates: Sequence[Estimate]) -> list[str]:
    head = ("march", "ms", subject.per_second, "cores", "DDR MB", "DDR GB/s", "busy", "error")
    rows = [
        (
            found.march.name,
            f"{found.milliseconds:.3f}",
            f"{found.runs_per_second:.1f}",
            f"{found.march.cores.value:g}",
            f"{(found.load_bytes + found.store_bytes) / 1e6:.2f}",
            f"{found.ddr_gb_per_s:.2f}",
            f"{found.utilisation:.0%}",
            found.accuracy + _without(found),
        )
        for found in estimates
    ]
    lines = _table([head, *rows])
    return [
        *lines,
        "ms: one run on one busy core; per second: all cores; busy: share of the tensor engine's dense rate",
    ]


def _schedules(schedules: Mapping[str, Schedule | NoSchedule]) -> list[str]:
    rows = [
        (name, f"{one.microseconds / 1e3:.3f}", f"{one.ddr_bytes / 1e6:.2f}", one.accuracy["text"])
        for name, one in schedules.items()
        if isinstance(one, Schedule)
    ]
    lines = _table([("compiled for", "ms", "DDR MB", "error"), *rows]) if rows else []
    return lines + [
        f"not compiled for {name}: {one.reason}"
        for name, one in schedules.items()
        if isinstance(one, NoSchedule)
    ]


def _without(found: Estimate) -> str:
    count = len(found.refused)
    return f"; without {count} operation{'s' if count > 1 else ''}" if count else ""


def _march(found: Estimate, top: int) -> list[str]:
    slowest = sorted(found.timed, key=lambda timed: -timed.cost.cycles)[:top]
    lines: list[str] = []
    if slowest:
        rows = [_row(timed, found) for timed in slowest]
        lines += _table([("  slowest", "name", "result", "unit", "us", "share", "bound by"), *rows])
    lines += [f"  caution: {text}" for text in found.caveats]
    lines += [f"  {text}" for text in _narrowed(found.timed)]
    lines += [f"  {text}" for text in _refused(found.refused)]
    return [found.march.name, *lines] if lines else []


def _row(timed: Timed, found: Estimate) -> tuple[str, ...]:
    operation, cost = timed.operation, timed.cost
    microseconds = cost.cycles / found.march.clock_ghz.value / 1e3
    return (
        f"  {operation.op}",
        operation.name,
        "x".join(str(size) for size in operation.out_shape),
        cost.unit,
        f"{microseconds:.1f}",
        f"{microseconds / 1e3 / found.milliseconds:.0%}",
        cost.bound,
    )


def _narrowed(timed: Sequence[Timed]) -> list[str]:
    counts: dict[tuple[str, int], int] = {}
    for one in timed:
        if one.asked_bits is not None:
            key = (one.operation.op, one.asked_bits)
            counts[key] = counts.get(key, 0) + 1
    return [
        f"{count} `{op}` counted with 8 bits: this march does not take {bits} there"
        for (op, bits), count in counts.items()
    ]


def _refused(refused: Sequence[Refused]) -> list[str]:
    """A line for each operation and the rules that it breaks, whatever the sizes that break them."""
    alike: dict[tuple[str, str], list[str]] = {}
    for one in refused:
        rules = "; ".join(one.rules)
        alike.setdefault((one.operation.op, _SIZE.sub("", rules)), []).append(rules)
    return [
        f"not on the BPU: {len(rules)} `{op}`, so the true time is longer: {_of_all_sizes(rules)}"
        for (op, _), rules in alike.items()
    ]


def _of_all_sizes(rules: Sequence[str]) -> str:
    """One text for several that differ in the sizes found."""
    spans = (_span([int(size) for size in sizes]) for sizes in zip(*map(_SIZE.findall, rules), strict=True))
    return _SIZE.sub(lambda _: next(spans), rules[0])


def _span(sizes: Sequence[int]) -> str:
    low, high = min(sizes), max(sizes)
    return str(low) if low == high else f"{low} to {high}"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Columns as wide as their widest cell; numbers to the right."""
    return aligned_columns(rows, right=[at for at, cell in enumerate(rows[-1]) if _is_number(cell)])


def _is_number(text: str) -> bool:
    return text.replace(".", "").replace("%", "").isdigit()
