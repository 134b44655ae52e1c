"""The page of what runs where: `python -m runtime.bpu.checker.supported_ops_page > docs/supported_ops.md`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from runtime.bpu.checker.placement import PLACEMENT_RULES
from runtime.bpu.checker.rules import ADVISORY_RULES, GRAPH_RULES, explanation
from runtime.bpu.march import load_march, march_names
from runtime.bpu.march_data import UNITS, Limit, March, OperationRule
from runtime.bpu.operation import OPERATIONS
from runtime.bpu.operation_measures import MEASURES, limit_in_words

_INTRO = """\
# Supported operations

Generated from `runtime/bpu/marches/*.json` and the rules in `runtime/bpu/checker/` by
`python -m runtime.bpu.checker.supported_ops_page`; change those, not this page. Where each number is from
stands in [marches.md](marches.md), what the checker makes of it in [checker.md](checker.md).

A cell names the unit, and the widths that it reads and writes. `CPU`: the host computes it.

`resize` stands for `resize_bilinear` and `resize_nearest` of [hbir.md](hbir.md). Weights are int8, the points
of `grid_sample` int16.
"""


def supported_ops_page() -> str:
    """The whole page in Markdown."""
    return "\n".join([_INTRO, *page_lines([load_march(name) for name in march_names()])]) + "\n"


def page_lines(marches: Sequence[March]) -> Iterator[str]:
    """Lines of the page for some marches, without its introduction."""
    yield from _table(("operation", *(f"`{march.name}`" for march in marches)))
    for op in OPERATIONS:
        yield _row((f"`{op}`", *(_cell(march.operations.get(op)) for march in marches)))
    yield from ("", "## Arithmetic", "")
    yield from _table(("", *(f"`{march.name}`" for march in marches)))
    yield _row(("bits of multipliers", *(f"{march.arithmetic.multiplier_bits.value:g}" for march in marches)))
    yield _row(
        ("bits of accumulators", *(f"{march.arithmetic.accumulator_bits.value:g}" for march in marches))
    )
    yield _row(
        ("on-chip memory, KiB", *(f"{march.memory.on_chip_bytes.value / 1024:g}" for march in marches))
    )
    yield from ("", "## Limits", "", "Of operations that a unit does; `-`: none is known.", "")
    yield from _table(("operation", "measure", *(f"`{march.name}`" for march in marches)))
    yield from _limit_rows("every", [march.general_limits for march in marches])
    for op in OPERATIONS:
        rules = [march.operations.get(op) for march in marches]
        yield from _limit_rows(f"`{op}`", [_limits(rule) for rule in rules])
    yield from ("", "## Rules", "")
    yield "What keeps a node from the BPU:"
    yield ""
    yield from (_rule_line(rule.__name__) for rule in PLACEMENT_RULES)
    yield ""
    yield "What is reported wherever a node runs:"
    yield ""
    yield from (_rule_line(rule.__name__) for rule in (*GRAPH_RULES, *ADVISORY_RULES))


def _cell(rule: OperationRule | None) -> str:
    if rule is None:
        return "unsupported"
    if rule.runs_on.value not in UNITS:
        return rule.runs_on.value
    read, written = ("/".join(str(bits) for bits in side.value) for side in (rule.in_bits, rule.out_bits))
    return f"{rule.runs_on.value} int{read} -> int{written}"


def _limits(rule: OperationRule | None) -> tuple[Limit, ...]:
    return rule.limits if rule is not None and rule.runs_on.value in UNITS else ()


def _limit_rows(op: str, limits: Sequence[Iterable[Limit]]) -> Iterator[str]:
    """One row a measure that any march limits."""
    words = [_in_words(of_march) for of_march in limits]
    for measure in MEASURES:
        cells = [of_march.get(measure, "-") for of_march in words]
        if set(cells) != {"-"}:
            yield _row((op, MEASURES[measure].__doc__ or "", *cells))


def _in_words(limits: Iterable[Limit]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for limit in limits:
        found.setdefault(limit.measure, []).append(limit_in_words(limit))
    return {measure: ", ".join(words) for measure, words in found.items()}


def _rule_line(rule: str) -> str:
    return f"- `{rule}`: {explanation(rule)}"


def _table(head: Sequence[str]) -> tuple[str, str]:
    return _row(head), "|" + "---|" * len(head)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    print(supported_ops_page(), end="")
