"""A report as text: the verdict, what is wrong, what would be better, a table of all nodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runtime.bpu.checker.finding import LEVELS, Level
from runtime.bpu.checker.report import CheckReport, NodeReport, Remark
from runtime.bpu.checker.rules import RULES, explanation
from runtime.bpu.checker.sums import EXACT_IN_FLOAT32
from runtime.bpu.march_data import UNSUPPORTED
from runtime.text_columns import aligned_columns

_NAMES = 3
_SUGGESTIONS = 12
_MESSAGES: dict[Level, int] = {"unsupported": 20, "cpu": 20, "warning": 20, "note": 4}
"""So many of a rule's messages are shown."""
_HEADINGS: dict[Level, str] = {
    "unsupported": "unsupported",
    "cpu": "falls to CPU",
    "warning": "warning",
    "note": "note",
}


def text_report(report: CheckReport) -> str:
    """The whole text, with a final newline."""
    lines = [f"{report.march.name}: {report.verdict}"]
    if report.refusal is not None:
        return "\n".join([*lines, *(f"  {line}" for line in report.refusal.splitlines())]) + "\n"
    lines += [*_summary(report), *_findings(report), *_suggestions(report), "", *_table(report.nodes)]
    return "\n".join(lines) + "\n"


def _summary(report: CheckReport) -> Iterator[str]:
    places = ", ".join(
        f"{count} {place}" if place == UNSUPPORTED else f"{count} on {place}"
        for place, count in report.places.items()
    )
    yield f"  {len(report.nodes)} nodes: {places}"
    if report.padding:
        shares = ", ".join(f"{share:.0%} of {unit}" for unit, share in report.padding.items())
        yield f"  padding: {shares}"
    sums = [(node.largest_sum.largest, node.name) for node in report.nodes if node.largest_sum]
    if sums:
        largest, name = max(sums, key=lambda found: found[0])
        exact = sum(found < EXACT_IN_FLOAT32 for found, _ in sums)
        bits = report.march.arithmetic.accumulator_bits
        yield (
            f"  sums: at most {largest} in `{name}`, the accumulator has {bits.value:g} bits; {exact} of "
            f"{len(sums)} below 2^24"
        )
    for node in report.nodes:
        if node.grid is not None:
            grid = node.grid
            yield (
                f"  grid of `{node.name}`: {grid.dtype}, one step is {grid.step:g} pixels, reaches pixel "
                f"{grid.reach:g} of {grid.side}"
            )


def _findings(report: CheckReport) -> Iterator[str]:
    for level in LEVELS:
        for rule in RULES:
            remarks = [one for one in report.remarks if (one.rule, one.finding.level) == (rule, level)]
            if remarks:
                yield ""
                yield f"{_HEADINGS[level]}: {explanation(rule)}"
                yield from _messages(remarks, _MESSAGES[level])


def _messages(remarks: Sequence[Remark], most: int) -> Iterator[str]:
    """What several nodes share is said once; the largest values first."""
    said: dict[str, list[str]] = {}
    for remark in sorted(remarks, key=lambda one: -(one.finding.found or 0.0)):
        said.setdefault(remark.finding.message, []).append(remark.node)
    for message, nodes in list(said.items())[:most]:
        yield f"  {_names(nodes)}: {message}"
    left = sum(len(nodes) for nodes in list(said.values())[most:])
    if left:
        yield f"  and {left} more in the JSON report"


def _suggestions(report: CheckReport) -> Iterator[str]:
    if not report.suggestions:
        return
    yield ""
    yield "suggestions, with the share of the network's predicted cycles:"
    for suggestion in report.suggestions[:_SUGGESTIONS]:
        saves = "" if suggestion.saves is None else f" {suggestion.saves:.1%}"
        yield f"  {suggestion.text}{saves} ({_names(suggestion.nodes)})"
    if len(report.suggestions) > _SUGGESTIONS:
        yield f"  and {len(report.suggestions) - _SUGGESTIONS} more in the JSON report"


def _names(nodes: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in nodes[:_NAMES])
    return shown if len(nodes) <= _NAMES else f"{shown} and {len(nodes) - _NAMES} more"


def _table(nodes: Sequence[NodeReport]) -> Iterator[str]:
    head = ("node", "op", "place", "requested", "granted", "padding", "cycles", "sum below", "output")
    yield from aligned_columns([head, *(_row(node) for node in nodes)])


def _row(node: NodeReport) -> tuple[str, ...]:
    return (
        node.name,
        node.op,
        node.place,
        _types(node.widths.requested),
        _types(node.widths.granted),
        "-" if node.padding is None else f"{node.padding:.0%}",
        "-" if node.cycles is None else f"{node.cycles:.0f}",
        "-" if node.largest_sum is None else f"2^{node.largest_sum.largest.bit_length()}",
        "x".join(str(size) for size in node.out_shape),
    )


def _types(widths: tuple[int, int] | None) -> str:
    return "-" if widths is None else f"int{widths[0]} -> int{widths[1]}"
