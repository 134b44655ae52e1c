"""Pages that need nothing else: style, drawings and a bit of script inside."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

Cell = tuple[str, float | str]
"""What is shown, as HTML, and what it is sorted by."""

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
th, td { padding: 0.25rem 0.6rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
th.words, td.words { text-align: left; }
td:first-child { font-family: ui-monospace, monospace; position: sticky; left: 0; background: var(--paper); }
th { position: sticky; top: 0; z-index: 1; background: var(--paper); cursor: pointer;
  color: var(--dim); font-weight: 600; }
th:first-child { left: 0; z-index: 2; }
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
  const first = head.className === "words" ? "1" : "0";  // of numbers the largest first
  const up = head.dataset.up = head.dataset.up ? String(1 - head.dataset.up) : first;
  const order = (a, b) => isNaN(key(a)) || isNaN(key(b)) ? key(a).localeCompare(key(b)) : key(a) - key(b);
  body.append(...[...body.rows].sort((a, b) => up === "1" ? order(a, b) : order(b, a)));
});
"""


def page(title: str, sections: Iterable[str]) -> str:
    """A whole page of sections in HTML under a heading."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n" + "\n".join(sections) + f"\n<script>{_SCRIPT}</script>\n"
        "</body>\n</html>\n"
    )


def fact_cards(facts: Iterable[tuple[str, str]]) -> str:
    """The main figures, each on a card: (what it is, the figure), both HTML."""
    cards = "".join(f"<div><span>{name}</span><b>{value}</b></div>" for name, value in facts)
    return f'<div class="facts">{cards}</div>'


def table(head: Sequence[str], rows: Sequence[Sequence[Cell]], marks: Sequence[bool] = ()) -> str:
    """Rows under a head; a click on a heading sorts. `marks`: which rows stand out."""
    sides = (
        [' class="words"' if isinstance(key, str) else "" for _, key in rows[0]] if rows else [""] * len(head)
    )
    lines = []
    for index, row in enumerate(rows):
        cells = "".join(
            f'<td{side} data-key="{escape(str(key))}">{shown}</td>'
            for side, (shown, key) in zip(sides, row, strict=True)
        )
        mark = ' class="chosen"' if marks and marks[index] else ""
        lines.append(f"<tr{mark}>{cells}</tr>")
    titles = "".join(f"<th{side}>{escape(title)}</th>" for side, title in zip(sides, head, strict=True))
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def colour_key(colour: str) -> str:
    """A spot of a colour of the style sheet, before what it stands for."""
    return f'<span class="key" style="background:var(--{colour})"></span>'


def text_cell(value: str) -> Cell:
    """A cell of words."""
    return escape(value), value


def round_ticks(low: float, high: float) -> list[float]:
    """Round numbers between two, four or so, for an axis."""
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough)
    return [index * step for index in range(math.ceil(low / step), math.floor(high / step) + 1)]


def svg(width: int, height: int, content: str) -> str:
    """A drawing of that many pixels, coloured by the classes of the style sheet."""
    return (
        f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'xmlns="http://www.w3.org/2000/svg">{content}</svg>'
    )
