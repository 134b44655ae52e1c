"""An `analysis.json` as tables for a terminal. Imports nothing heavy: commands that only read use it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from runtime.text_columns import GAP, aligned_columns

WIDTH = 110
_NARROWEST = 60
_LIMIT_DB = 200.0

Document = Mapping[str, Any]
Rows = Sequence[Sequence[str]]


def analysis_text(document: Document, *, top: int = 15, width: int = WIDTH) -> str:
    """All tables, each with its `top` worst rows, in lines of at most `width` characters, or 60.

    Args:
        document: what `analysis.json` holds.
        top: rows a table; the plan is shown whole.
        width: columns of the terminal.
    """
    width = max(width, _NARROWEST)
    parts = (
        "\n".join(line for text in headline(document).splitlines() for line in textwrap.wrap(text, width)),
        layers_table(document, top, width),
        ranges_table(document, top, width),
        sensitivity_table(document, top, width),
        samples_table(document, top, width),
        plan_table(document, width),
    )
    return "\n\n".join(parts) + "\n"


def headline(document: Document) -> str:
    """What fixed point costs, in two lines."""
    exact, fixed = document["float_loss"], document["fixed_loss"]
    return (
        f"fixed point against float on {document['num_samples']} samples\n"
        f"task loss {exact:.4f} -> {fixed:.4f} ({fixed - exact:+.4f}), "
        f"results {shown_db(document['output_sqnr_db'])} dB above the noise"
    )


def layers_table(document: Document, top: int, width: int) -> str:
    """The layers that are off most with the whole network in fixed point."""
    layers = [layer for layer in document["layers"] if layer["accumulated"] is not None]
    layers.sort(key=lambda layer: layer["accumulated"]["sqnr_db"])
    rows = [
        (
            layer["name"],
            layer["op"],
            shown_bits(layer["bits"]),
            shown_db(layer["accumulated"]["sqnr_db"]),
            f"{layer['accumulated']['cosine']:.5f}",
            shown_db(layer["alone"]["sqnr_db"]) if layer["alone"] else "-",
        )
        for layer in layers[:top]
    ]
    head = ("layer", "op", "bits", "SQNR dB", "cosine", "alone dB")
    return _titled("layers furthest from float (alone: by their own rounding)", head, rows, width)


def ranges_table(document: Document, top: int, width: int) -> str:
    """The tensors that are cut off most, then those that use the least of their codes."""
    order = sorted(document["ranges"], key=lambda item: (-item["saturated"], -item["unused"]))
    rows = [
        (
            item["name"],
            item["op"],
            str(item["bits"]),
            f"{item['low']:.4g}",
            f"{item['high']:.4g}",
            f"{item['clip']:.4g}",
            f"{100 * item['saturated']:.4f} %",
            f"{100 * item['unused']:.0f} %",
        )
        for item in order[:top]
    ]
    head = ("tensor", "op", "bits", "low", "high", "clip", "cut off", "unused")
    return _titled("ranges, the most cut off first", head, rows, width)


def sensitivity_table(document: Document, top: int, width: int) -> str:
    """What costs most when it alone is quantised."""
    rows = [
        (
            item["name"],
            item["kind"],
            str(item["bits"]),
            f"{item['loss_increase']:+.5f}",
            shown_db(item["output_sqnr_db"]),
        )
        for item in document["sensitivity"][:top]
    ]
    head = ("tensor, quantised alone", "kind", "bits", "task loss", "results dB")
    title = f"sensitivity, on {document['sensitivity_samples']} samples"
    return _titled(title, head, rows, width)


def samples_table(document: Document, top: int, width: int) -> str:
    """The samples whose results are off most."""
    rows = [
        (item["token"], shown_db(item["sqnr_db"]), item["worst_output"], shown_db(item["worst_sqnr_db"]))
        for item in document["worst_samples"][:top]
    ]
    return _titled("worst samples", ("sample", "results dB", "worst result", "dB"), rows, width)


def plan_table(document: Document, width: int) -> str:
    """What raising tensors to int16 gains and costs, and the rules that are proposed."""
    plan = document["plan"]
    base, gap = plan["base"], plan["points"][0]["loss"] - plan["float_loss"]
    head = ["raised", "task loss", "taken back", "results dB", "MACs", "bytes"]
    with_cycles = base["cycles"] is not None
    if with_cycles:
        head.append(f"cycles on {document['march']}")
    rows = []
    for point in plan["points"]:
        extra = point["extra"]
        row = [
            f"{point['raised']}{' *' if point['raised'] == plan['chosen'] else ''}",
            f"{point['loss']:.4f}",
            f"{100 * (plan['points'][0]['loss'] - point['loss']) / gap:.0f} %" if gap > 0 else "-",
            shown_db(point["output_sqnr_db"]),
            shown_share(extra["macs"], base["macs"]),
            shown_share(extra["bytes"], base["bytes"]),
        ]
        if with_cycles:
            row.append(shown_share(extra["cycles"], base["cycles"]))
        rows.append(row)
    title = f"plan: tensors raised to int16 (float: task loss {plan['float_loss']:.4f}; * proposed)"
    lines = [_titled(title, head, rows, width, left=0)]
    if not plan["rules"]:
        lines.append(
            "no rule is proposed: " + ("fixed point costs no loss" if gap <= 0 else "none lowers the loss")
        )
    for step in plan["steps"][: plan["chosen"]]:
        # Whole, whatever the width: the rule is there to be copied into a spec.
        share = shown_share(step["extra"]["bytes"], base["bytes"])
        lines.append(f"  - {{match: {step['name']}, bits: 16}}  # {share} bytes")
    lines += _skipped_lines(plan["skipped"], width)
    return "\n".join(lines)


def reasons(skipped: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """Names of the tensors that cannot be raised, by the reason."""
    found: dict[str, list[str]] = {}
    for item in skipped:
        found.setdefault(item["reason"], []).append(item["name"])
    return found


def shown_db(value: float) -> str:
    """`31.4`; `exact` where nothing differs."""
    return "exact" if value >= _LIMIT_DB else f"{value:.1f}"


def shown_bits(bits: int | None) -> str:
    """`8`, or `sum` for what stays an accumulator."""
    return "sum" if bits is None else str(bits)


def shown_share(extra: float, base: float) -> str:
    """`+1.3 %`."""
    return f"{100 * extra / base:+.2f} %" if base else "-"


def _skipped_lines(skipped: Sequence[Mapping[str, str]], width: int) -> list[str]:
    lines = [f"cannot be raised: {len(skipped)}"] if skipped else []
    for reason, names in reasons(skipped).items():
        lines += textwrap.wrap(reason, width, initial_indent="  ", subsequent_indent="  ")
        lines += textwrap.wrap(
            ", ".join(names), width, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
        )
    return lines


def _titled(title: str, head: Sequence[str], rows: Rows, width: int, left: int = 1) -> str:
    """A table under its title; the first `left` columns and all that hold words are aligned left."""
    title = "\n".join(textwrap.wrap(title, width))
    if not rows:
        return f"{title}\n  none"
    table = [list(head), *[list(row) for row in rows]]
    words = [index < left or not _is_number(rows[0][index]) for index in range(len(head))]
    sizes = [max(len(row[index]) for row in table) for index in range(len(head))]
    _shrink(sizes, width - len(GAP) * len(sizes))
    right = [index for index, is_word in enumerate(words) if not is_word]
    return "\n".join([title, *(GAP + line for line in aligned_columns(table, right=right, sizes=sizes))])


def _shrink(sizes: list[int], room: int) -> None:
    """Take what is too much from the widest columns."""
    while sum(sizes) > room and max(sizes) > 1:
        sizes[sizes.index(max(sizes))] -= 1


def _is_number(text: str) -> bool:
    return text[:1] in "+-0123456789" or text in ("exact", "sum")
