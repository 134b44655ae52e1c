"""The page of all chips, docs/marches.md: `python -m runtime.bpu.march_page > docs/marches.md`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runtime.bpu.march import load_march, march_names
from runtime.bpu.march_data import Limit, March, Numbers, Quantity, Word
from runtime.bpu.operation_measures import MEASURES

_INTRO = """\
# Chips

Generated from `runtime/bpu/marches/*.json` by `python -m runtime.bpu.march_page`; change those files, not
this page.

The chips and their compiler are closed. These files are an open model of them: what is public, what public
throughputs were fitted to, and what had to be assumed. Every number says which:

| provenance | means |
|---|---|
| published | stated in the source |
| derived | arithmetic on published numbers |
| fitted | by `benchmarks/latency_fit.py` to `benchmarks/data/latency.csv`; ± is the error of the logarithm |
| assumed | for the reason given; nobody has measured it |

Time of an operation follows from these numbers by the formula in `runtime/bpu/operation_cost.py`. The error
below is that of predicted saturated time of whole public networks, each predicted by a fit that has not seen
it. The ± of single constants is wide: the networks fix their sum far better than each of them. No time of an
int16 layer is public. The error *of schedules* is that of programs of the same networks, each compiled for
the chip that a fit without it finds (`benchmarks/schedule_error.py`): no number is fitted to schedules.
A chip is added by a file of this kind beside the others, or anywhere: `load_march` takes a path that ends in
`.json`, too.
"""

_PARTS = ("lanes", "memory", "alignment", "arithmetic", "overhead")


def march_page() -> str:
    """The whole page in Markdown."""
    marches = [load_march(name) for name in march_names()]
    head = ("march", "chips", "cores", "GHz", "networks fitted", "leave-one-out error", "of schedules")
    lines = [_INTRO, *_table(head)]
    lines += [_row(_overview(march)) for march in marches]
    for march in marches:
        lines += ["", *_section(march)]
    return "\n".join(lines) + "\n"


def _overview(march: March) -> tuple[str, ...]:
    error, schedule = march.accuracy.leave_one_out, march.accuracy.schedule
    return (
        f"[`{march.name}`](#{march.name})",
        ", ".join(march.chips),
        _value(march.cores),
        _value(march.clock_ghz),
        str(march.accuracy.rows),
        "too few networks" if error is None else f"{error:.1%}",
        "-" if schedule is None else f"{schedule.leave_one_out:.1%}",
    )


def _section(march: March) -> Iterator[str]:
    yield f"## {march.name}"
    yield ""
    yield march.summary
    yield ""
    yield f"Fit: {march.accuracy.why}."
    yield ""
    if (schedule := march.accuracy.schedule) is not None:
        errors = ", ".join(f"{network} {error:+.1%}" for network, error in schedule.errors.items())
        yield (
            f"Schedules: ± {schedule.leave_one_out:.1%} in the mean of {len(schedule.errors)} networks, "
            f"{schedule.bias:+.1%} with their signs; {schedule.why}: {errors}."
        )
        yield ""
    yield from _table(("number", "value", "provenance", "why"))
    for name, quantity in _numbers(march):
        yield _row((f"`{name}`", *_backed(quantity)))
    yield ""
    yield from _table(("operation", "what", "value", "provenance", "why"))
    for limit in march.general_limits:
        yield _limit_row("every", limit)
    for op, rule in march.operations.items():
        yield _row((f"`{op}`", "runs on", *_backed(rule.runs_on)))
        yield _row((f"`{op}`", "input", *_backed(rule.in_bits, "int")))
        yield _row((f"`{op}`", "output", *_backed(rule.out_bits, "int")))
        for limit in rule.limits:
            yield _limit_row(f"`{op}`", limit)


def _numbers(march: March) -> Iterator[tuple[str, Quantity | Word]]:
    yield from (
        ("cores", march.cores),
        ("clock_ghz", march.clock_ghz),
        ("advertised_tops", march.advertised_tops),
    )
    yield from ((f"units.{unit}", word) for unit, word in march.units.items())
    for bits, rates in march.tensor.macs_per_cycle.items():
        yield from ((f"macs_per_cycle.int{bits}xint8.{kind}", rate) for kind, rate in rates.items())
    for part in _PARTS:
        fields: Mapping[str, Quantity] = vars(getattr(march, part))
        yield from ((f"{part}.{name}", quantity) for name, quantity in fields.items())


def _limit_row(op: str, limit: Limit) -> str:
    what = f"{MEASURES[limit.measure].__doc__}, {limit.relation.replace('_', ' ')}"
    return _row((op, what, *_backed(limit.bound)))


def _backed(node: Quantity | Word | Numbers, prefix: str = "") -> tuple[str, str, str]:
    return _value(node, prefix), node.provenance, node.why


def _value(node: Quantity | Word | Numbers, prefix: str = "") -> str:
    if isinstance(node, Word):
        return node.value
    if isinstance(node, Numbers):
        return ", ".join(f"{prefix}{number}" for number in node.value)
    text = str(int(node.value)) if node.value == int(node.value) else f"{node.value:.4g}"
    return text if node.error is None else f"{text} ± {node.error:.0%}"


def _table(head: tuple[str, ...]) -> tuple[str, str]:
    return _row(head), "|" + "---|" * len(head)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    print(march_page(), end="")
