"""The performance of a program as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.bpu.performance.drawings import (
    COLOURS,
    KIND_COLOURS,
    memory_drawing,
    roofline_drawing,
    timeline_drawing,
)
from runtime.bpu.performance.text import cores, error_text
from runtime.bpu.performance.timeline import Timeline
from runtime.bpu.program.instruction import UNITS
from runtime.bpu.program.program import Program
from runtime.web_page import Cell, colour_key, fact_cards, page, table, text_cell

Document = Mapping[str, Any]


def performance_page(document: Document, program: Program, times: Timeline, *, title: str) -> str:
    """The page.

    Args:
        document: of `performance`.
        program: that it is about.
        times: its timeline.
        title: such as the name of the run.
    """
    summary = document["summary"]
    us_per_cycle = 1e-3 / summary["model"]["clock_ghz"]
    memory = summary["memory"]
    sections = (
        _facts(summary),
        "<h2>Timeline</h2><p>When each unit is busy; transfers share one bandwidth.</p><p>"
        + "".join(
            f'<span class="key" style="background:{COLOURS[unit]}"></span>{unit} '
            f"{100 * summary['utilisation'][unit]:.0f} %"
            for unit in UNITS
        )
        + f'</p><div class="wide">{timeline_drawing(program, times, us_per_cycle)}</div>',
        _layers(summary["layers"]),
        "<h2>Memory on the chip</h2><p>Addresses over time; a dashed line is the end of the "
        f"{memory['chip_bytes'] / 1024:.0f} KiB."
        f"{colour_key('blue')}computed{colour_key('grey')}loaded</p>"
        f'<div class="wide">{memory_drawing(document["buffers"], memory, times, us_per_cycle)}</div>',
        "<h2>Roofline</h2><p>Each layer with weights by its work: along the slope DDR is what bounds it, "
        "under a flat roof the tensor engine, whose rate depends on the kind of convolution; far below, the "
        "overhead of an operation or padding."
        + "".join(f"{colour_key(colour)}{kind}" for kind, colour in KIND_COLOURS.items())
        + "</p>"
        f'<div class="wide">{roofline_drawing(document["roofline"])}</div>',
        _what_is_modelled(summary),
    )
    return page(f"Performance estimate: {title}", sections)


def _facts(summary: Document) -> str:
    speed, access, memory = (summary[key] for key in ("performance", "ddr_access", "memory"))
    return fact_cards(
        (
            (f"latency on {summary['model']['march']}", f"{speed['latency_us'] / 1e3:.2f} ms"),
            ("error of such estimates", _error(speed["accuracy"]["leave_one_out"])),
            (f"surround frames a second, {cores(speed['cores'])}", f"{speed['fps']:.1f}"),
            (
                "read from and written to DDR",
                f"{access['loaded_bytes'] / 1e6:.2f} and {access['stored_bytes'] / 1e6:.2f} MB",
            ),
            ("mean bandwidth", f"{access['mean_gb_per_s']:.2f} GB/s"),
            (
                "on the chip at most",
                f"{memory['chip_peak_bytes'] / 1024:.0f} of {memory['chip_bytes'] / 1024:.0f} KiB",
            ),
        )
    )


def _layers(layers: list[Document]) -> str:
    rows: list[list[Cell]] = []
    for layer in layers:
        start, end = layer["active_us"]
        rows.append(
            [
                text_cell(layer["name"]),
                text_cell(layer["op"]),
                text_cell(layer["unit"]),
                text_cell(layer["bound"]),
                (f"{layer['compute_us']:.1f} ({100 * layer['share_of_latency']:.1f} %)", layer["compute_us"]),
                *(_number(layer[key]) for key in ("overhead_us", "load_us", "store_us")),
                *((f"{layer[key] / 1e3:.1f}", layer[key]) for key in ("loaded_bytes", "stored_bytes")),
                (f"{layer['macs'] / 1e6:.2f}", layer["macs"]),
                (str(layer["instructions"]), layer["instructions"]),
                (f"{start:.0f} to {end:.0f}", start),
            ]
        )
    head = ("layer", "op", "unit", "bound", "compute us", "overhead us", "load us", "store us")
    more = ("read kB", "written kB", "M MACs", "parts", "active us")
    return (
        "<h2>Layers</h2><p>Compute without DDR, and the transfers beside it: the longer one bounds the "
        "layer. Overhead is what starting it takes. In their order; a click on a heading sorts.</p>"
        f'<div class="tall wide">{table((*head, *more), rows)}</div>'
    )


def _what_is_modelled(summary: Document) -> str:
    speed, memory = summary["performance"], summary["memory"]
    return (
        f"<h2>How far to trust it</h2><p>Error: {error_text(speed)}. The chip's own compiler is closed: it "
        "may fuse and tile otherwise.</p>"
        f"<p>DDR holds {memory['ddr_bytes'] / 1e6:.2f} MB: constants {memory['static_bytes'] / 1e6:.2f}, "
        f"inputs {memory['input_bytes'] / 1e6:.2f}, results {memory['output_bytes'] / 1e6:.2f}, between "
        f"layers {memory['intermediate_bytes'] / 1e6:.2f}. A frame is {speed['frame']}.</p>"
    )


def _error(leave_one_out: float | None) -> str:
    return "not known" if leave_one_out is None else f"± {100 * leave_one_out:.1f} %"


def _number(value: float) -> Cell:
    return f"{value:.1f}", value
