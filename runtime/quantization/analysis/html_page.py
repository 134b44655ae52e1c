"""An `analysis.json` as one page that needs nothing else: style, drawings and a bit of script inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from runtime.quantization.analysis.svg import bars, histogram, plan_curve
from runtime.quantization.analysis.text_tables import reasons, shown_bits, shown_db, shown_share

Document = Mapping[str, Any]
Cell = tuple[str, float | str]
"""What is shown, as HTML, and what it is sorted by."""

_BARS = 30

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #5d6671; --paper: #ffffff; --line: #d8dde3;
  --soft: #f3f5f8; --blue: #2f6fdb; --orange: #c2571a; --grey: #9aa4b0; --green: #1f8a4c; }
@media (prefers-color-scheme: dark) { :root {
  --ink: #e4e8ed; --dim: #9aa4b0; --paper: #15181c; --line: #343b44;
  --soft: #1e2329; --blue: #6ea3ff; --orange: #f0935a; --grey: #66707c; --green: #57c785; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 1320px; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.4rem; }
p, li { color: var(--dim); max-width: 46rem; }
.facts { display: flex; flex-wrap: wrap; gap: 0.8rem; }
.facts div { background: var(--soft); border-radius: 8px; padding: 0.6rem 1rem; }
.facts b { display: block; font-size: 1.25rem; } .facts span { color: var(--dim); font-size: 0.85rem; }
.wide { overflow-x: auto; } .tall { max-height: 34rem; overflow: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.7rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
td:first-child { font-family: ui-monospace, monospace; }
th { position: sticky; top: 0; background: var(--paper); cursor: pointer;
  color: var(--dim); font-weight: 600; }
tr.chosen td { background: var(--soft); font-weight: 600; }
pre { background: var(--soft); padding: 0.8rem 1rem; border-radius: 8px; overflow-x: auto; font-size: 13px; }
svg { display: block; } svg text { font: 12px system-ui, sans-serif; fill: var(--dim); }
svg text.name { font: 12px ui-monospace, monospace; fill: var(--ink); }
.bar { fill: var(--blue); } .cut { fill: var(--orange); } .under, .weight { fill: var(--grey); }
.clip { stroke: var(--orange); stroke-width: 1.5; stroke-dasharray: 4 3; }
.axis { stroke: var(--dim); } .grid { stroke: var(--line); }
.curve { fill: none; stroke: var(--blue); stroke-width: 2; } .dot { fill: var(--blue); }
.chosen { fill: var(--green); }
.key { display: inline-block; width: 0.8em; height: 0.8em; border-radius: 2px; margin: 0 0.3em 0 0.9em; }
"""

_SCRIPT = """
for (const head of document.querySelectorAll("th")) head.addEventListener("click", () => {
  const column = head.cellIndex, body = head.closest("table").tBodies[0];
  const key = row => row.cells[column].dataset.key;
  const up = head.dataset.up = head.dataset.up === "1" ? "0" : "1";
  const order = (a, b) => isNaN(key(a)) || isNaN(key(b)) ? key(a).localeCompare(key(b)) : key(a) - key(b);
  body.append(...[...body.rows].sort((a, b) => up === "1" ? order(a, b) : order(b, a)));
});
"""


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
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>Fixed point against float: {escape(title)}</h1>\n"
        + "\n".join(sections)
        + f"\n<script>{_SCRIPT}</script>\n"
        "</body>\n</html>\n"
    )


def _facts(document: Document) -> str:
    exact, fixed = document["float_loss"], document["fixed_loss"]
    facts = (
        ("task loss, float", f"{exact:.4f}"),
        ("task loss, fixed point", f"{fixed:.4f} ({fixed - exact:+.4f})"),
        ("signal to noise of the results", f"{shown_db(document['output_sqnr_db'])} dB"),
        ("samples", f"{document['num_samples']}, sensitivity {document['sensitivity_samples']}"),
    )
    cards = "".join(f"<div><span>{name}</span><b>{value}</b></div>" for name, value in facts)
    return f'<div class="facts">{cards}</div>'


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
        f"costs, or else the least loss that was measured: these rules after those of the spec.</p>"
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
        f"{_table(head, rows, marks)}{proposed}{cannot}"
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
            _text(item["name"]),
            _text(item["kind"]),
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
        f"{_key('blue')}activation{_key('grey')}weight</p>"
        f'<div class="wide">{bars(drawn)}</div><details><summary>all {len(items)}</summary>'
        f'<div class="tall">{_table(head, rows)}</div></details>'
    )


def _layers(document: Document) -> str:
    rows: list[list[Cell]] = []
    for layer in document["layers"]:
        whole, alone = layer["accumulated"], layer["alone"]
        rows.append(
            [
                _text(layer["name"]),
                _text(layer["op"]),
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
        f'order of the network; a click on a heading sorts.</p><div class="tall">{_table(head, rows)}</div>'
    )


def _ranges(document: Document) -> str:
    rows: list[list[Cell]] = [
        [
            _text(item["name"]),
            (histogram(item, octaves=(-4, 9) if item["bits"] == 8 else (-4, 17)), item["saturated"]),
            _text(item["op"]),
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
        f"largest code:{_key('orange')}beyond it values are cut off,{_key('grey')}below half a code they "
        "become zero. Unused is the share of codes above the largest that was seen.</p>"
        f'<div class="tall wide">{_table(head, rows)}</div>'
    )


def _samples(document: Document) -> str:
    rows: list[list[Cell]] = [
        [_text(item["token"]), _db(item["sqnr_db"]), _text(item["worst_output"]), _db(item["worst_sqnr_db"])]
        for item in document["worst_samples"]
    ]
    return f"<h2>Worst samples</h2>{_table(('sample', 'results dB', 'worst result', 'dB'), rows)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[Cell]], marks: Sequence[bool] = ()) -> str:
    lines = []
    for index, row in enumerate(rows):
        cells = "".join(f'<td data-key="{escape(str(key))}">{shown}</td>' for shown, key in row)
        mark = ' class="chosen"' if marks and marks[index] else ""
        lines.append(f"<tr{mark}>{cells}</tr>")
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _key(colour: str) -> str:
    return f'<span class="key" style="background:var(--{colour})"></span>'


def _text(value: str) -> Cell:
    return escape(value), value


def _db(value: float) -> Cell:
    return shown_db(value), value
