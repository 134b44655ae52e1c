"""An `analysis.json` as one page that needs nothing else: style, drawings and a bit of script inside."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from runtime.quantization.analysis.svg import bars, histogram, plan_curve
from runtime.quantization.analysis.text_tables import reasons, shown_bits, shown_db, shown_share
from runtime.web_page import Cell, colour_key, fact_cards, page, table, text_cell

Document = Mapping[str, Any]
_BARS = 30


def analysis_page(document: Document, *, title: str) -> str:
    """The page.

    Args:
        document: what `analysis.json` holds.
        title: such as the name of the run.
    """
    sections = (
        _facts(document),
        _plan(document),
        _sensitivity(document),
        _layers(document),
        _ranges(document),
        _samples(document),
    )
    return page(f"Fixed point against float: {title}", sections)


def _facts(document: Document) -> str:
    exact, fixed = document["float_loss"], document["fixed_loss"]
    facts = (
        ("task loss, float", f"{exact:.4f}"),
        ("task loss, fixed point", f"{fixed:.4f} ({fixed - exact:+.4f})"),
        ("signal to noise of the results", f"{shown_db(document['output_sqnr_db'])} dB"),
        ("samples", f"{document['num_samples']}, sensitivity {document['sensitivity_samples']}"),
    )
    return fact_cards(facts)


def _plan(document: Document) -> str:
    plan = document["plan"]
    base, first = plan["base"], plan["points"][0]["loss"]
    gap = first - plan["float_loss"]
    head = ["raised", "task loss", "taken back", "results dB", "MACs", "bytes"]
    if base["cycles"] is not None:
        head.append(f"cycles on {document['march']}")
    rows, marks = [], []
    for point in plan["points"]:
        extra = point["extra"]
        back = (first - point["loss"]) / gap if gap > 0 else 0.0
        row: list[Cell] = [
            (str(point["raised"]), point["raised"]),
            (f"{point['loss']:.4f}", point["loss"]),
            (f"{100 * back:.0f} %" if gap > 0 else "-", back),
            _db(point["output_sqnr_db"]),
            (shown_share(extra["macs"], base["macs"]), extra["macs"]),
            (shown_share(extra["bytes"], base["bytes"]), extra["bytes"]),
        ]
        if base["cycles"] is not None:
            row.append((shown_share(extra["cycles"], base["cycles"]), extra["cycles"]))
        rows.append(row)
        marks.append(point["raised"] == plan["chosen"])
    rules = "\n".join(f"- {{match: {rule['match']}, bits: {rule['bits']}}}" for rule in plan["rules"])
    proposed = (
        f"<p>Proposed (green) is what takes back {100 * plan['wanted']:.0f} % of the loss that fixed point "
        f"costs, or else the fewest with nearly the least loss: these rules after those of the spec.</p>"
        f"<pre>{escape(rules)}</pre>"
        if rules
        else "<p>No rule is proposed: none of the measured plans lowers the task loss.</p>"
    )
    skipped = "".join(
        f"<li>{escape(reason)}: {', '.join(f'<code>{escape(name)}</code>' for name in names)}</li>"
        for reason, names in reasons(plan["skipped"]).items()
    )
    cannot = (
        f"<details><summary>cannot be raised: {len(plan['skipped'])}</summary><ul>{skipped}</ul></details>"
        if skipped
        else ""
    )
    return (
        "<h2>Plan</h2><p>The tensors that harm loss and results most are raised to int16, one after the "
        "other, and the fixed-point model is measured anew.</p>"
        f'<div class="wide">{plan_curve(plan)}</div>'
        f"{table(head, rows, marks)}{proposed}{cannot}"
    )


def _sensitivity(document: Document) -> str:
    items = document["sensitivity"]
    drawn = [
        (
            item["name"],
            item["loss_increase"],
            f"{item['loss_increase']:+.4f}",
            "weight" if item["kind"] == "weight" else "bar",
        )
        for item in items[:_BARS]
    ]
    rows: list[list[Cell]] = [
        [
            text_cell(item["name"]),
            text_cell(item["kind"]),
            (str(item["bits"]), item["bits"]),
            (f"{item['loss_increase']:+.5f}", item["loss_increase"]),
            _db(item["output_sqnr_db"]),
        ]
        for item in items
    ]
    head = ("tensor, quantised alone", "kind", "bits", "task loss", "results dB")
    return (
        "<h2>Sensitivity</h2><p>Change of the task loss when one tensor alone is quantised and all else is "
        "float. On few samples a tensor may lower the loss by chance."
        f"{colour_key('blue')}activation{colour_key('grey')}weight</p>"
        f'<div class="wide">{bars(drawn)}</div><details><summary>all {len(items)}</summary>'
        f'<div class="tall">{table(head, rows)}</div></details>'
    )


def _layers(document: Document) -> str:
    rows: list[list[Cell]] = []
    for layer in document["layers"]:
        whole, alone = layer["accumulated"], layer["alone"]
        rows.append(
            [
                text_cell(layer["name"]),
                text_cell(layer["op"]),
                (shown_bits(layer["bits"]), layer["bits"] or 32),
                _db(whole["sqnr_db"]) if whole else ("-", 999.0),
                (f"{whole['cosine']:.6f}", whole["cosine"]) if whole else ("-", 2.0),
                _db(alone["sqnr_db"]) if alone else ("-", 999.0),
            ]
        )
    head = ("layer", "op", "bits", "SQNR dB", "cosine", "alone dB")
    return (
        "<h2>Layers</h2><p>How far each result is from the float model's with the whole network in fixed "
        "point, and by its own rounding alone. A result marked <code>sum</code> stays an accumulator. In the "
        f'order of the network; a click on a heading sorts.</p><div class="tall">{table(head, rows)}</div>'
    )


def _ranges(document: Document) -> str:
    rows: list[list[Cell]] = [
        [
            text_cell(item["name"]),
            (histogram(item, octaves=(-4, 9) if item["bits"] == 8 else (-4, 17)), item["saturated"]),
            text_cell(item["op"]),
            (str(item["bits"]), item["bits"]),
            (f"{item['low']:.4g}", item["low"]),
            (f"{item['high']:.4g}", item["high"]),
            (f"{item['clip']:.4g}", item["clip"]),
            (f"{100 * item['saturated']:.4f} %", item["saturated"]),
            (f"{100 * item['unused']:.0f} %", item["unused"]),
            (f"{100 * item['zeros']:.0f} %", item["zeros"]),
        ]
        for item in document["ranges"]
    ]
    head = ("tensor", "magnitudes", "op", "bits", "low", "high", "clip", "cut off", "unused", "zeros")
    return (
        "<h2>Ranges</h2><p>Magnitudes in half octaves, heights as square roots. The broken line is the "
        f"largest code:{colour_key('orange')}beyond it values are cut off,{colour_key('grey')}below half a "
        "code they become zero. Unused is the share of codes above the largest that was seen.</p>"
        f'<div class="tall wide">{table(head, rows)}</div>'
    )


def _samples(document: Document) -> str:
    rows: list[list[Cell]] = [
        [
            text_cell(item["token"]),
            _db(item["sqnr_db"]),
            text_cell(item["worst_output"]),
            _db(item["worst_sqnr_db"]),
        ]
        for item in document["worst_samples"]
    ]
    return f"<h2>Worst samples</h2>{table(('sample', 'results dB', 'worst result', 'dB'), rows)}"


def _db(value: float) -> Cell:
    return shown_db(value), value
