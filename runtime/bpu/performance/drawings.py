"""The drawings of the performance page: units over time, memory over time, work against traffic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from runtime.bpu.performance.timeline import BlockTimes, Timeline
from runtime.bpu.program.instruction import UNITS
from runtime.bpu.program.program import Program
from runtime.web_page import round_ticks, svg

_WIDTH, _LEFT, _RIGHT = 1200, 70, 30
_LANE = 26
_MEMORY_HEIGHT, _ROOF_HEIGHT = 320, 360
_AXIS, _HEAD = 34, 22
COLOURS = {
    "LOAD": "var(--grey)",
    "STORE": "var(--dim)",
    "TAE": "var(--blue)",
    "VAE": "var(--green)",
    "AAE": "var(--orange)",
    "DTE": "var(--ink)",
}
"""Of the units, from the style sheet of the page."""
KIND_COLOURS = {"dense": "blue", "pointwise": "green", "depthwise": "orange"}
"""Of layers with weights, by what the tensor engine calls them."""


def timeline_drawing(program: Program, times: Timeline, us_per_cycle: float) -> str:
    """A lane for each unit; neighbours of one layer are drawn as one."""
    whole = max(1, times.cycles)
    scale = (_WIDTH - _LEFT - _RIGHT) / whole
    parts = [
        f'<text x="{_LEFT - 8}" y="{lane * _LANE + 17}" text-anchor="end">{unit}</text>'
        for lane, unit in enumerate(UNITS)
    ]
    # Below a fifth of a pixel nothing can be told apart.
    gap = 0.2 / scale
    for lane, unit in enumerate(UNITS):
        merged: list[list[int]] = []
        for span in times.spans():
            if span.instruction.unit != unit:
                continue
            if merged and merged[-1][0] == span.instruction.layer and span.start - merged[-1][2] <= gap:
                merged[-1][2] = max(merged[-1][2], span.end)
            else:
                merged.append([span.instruction.layer, span.start, span.end])
        for layer, start, end in merged:
            title = f"{program.layers[layer].name}: {(end - start) * us_per_cycle:.1f} us"
            parts.append(
                f'<rect x="{_LEFT + start * scale:.1f}" y="{lane * _LANE + 3}" '
                f'width="{max(0.3, (end - start) * scale):.1f}" height="{_LANE - 6}" '
                f'style="fill:{COLOURS[unit]}"><title>{escape(title)}</title></rect>'
            )
    height = len(UNITS) * _LANE
    parts.append(_time_axis(whole * us_per_cycle, height))
    return svg(_WIDTH, height + _AXIS, "".join(parts))


def memory_drawing(
    buffers: Sequence[Mapping[str, Any]], memory: Mapping[str, Any], times: Timeline, us_per_cycle: float
) -> str:
    """Addresses on the chip over time, as far up as they are used; of a block that repeats the first turn."""
    whole_us = times.cycles * us_per_cycle
    scale = (_WIDTH - _LEFT - _RIGHT) / max(whole_us, 1e-9)
    # A memory that is hardly used would be a line at the bottom.
    top = min(memory["chip_bytes"], 1.2 * max(memory["chip_peak_bytes"], 1))
    down = _MEMORY_HEIGHT / top
    parts = [f'<line class="axis" x1="{_LEFT}" x2="{_LEFT}" y1="0" y2="{_MEMORY_HEIGHT}"/>']
    if top == memory["chip_bytes"]:
        parts.append(f'<line class="clip" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="1" y2="1"/>')
    unit, size = ("MiB", 2**20) if top >= 2**21 else ("KiB", 2**10)
    for tick in round_ticks(0, top / size):
        y = _MEMORY_HEIGHT - tick * size * down
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT - 8}" y="{max(10, y + 4):.1f}" text-anchor="end">{tick:g} {unit}</text>'
        )
    parts += [_repeated(block, scale * us_per_cycle) for block in times.blocks if block.turns > 1]
    for buffer in buffers:
        kind = "under" if buffer["loaded"] else "bar"
        title = f"{buffer['layer']}: {buffer['size']} bytes at {buffer['address']}"
        parts.append(
            f'<rect class="{kind}" x="{_LEFT + buffer["start_us"] * scale:.1f}" '
            f'y="{_MEMORY_HEIGHT - (buffer["address"] + buffer["size"]) * down:.1f}" '
            f'width="{max(0.3, (buffer["end_us"] - buffer["start_us"]) * scale):.1f}" '
            f'height="{max(0.3, buffer["size"] * down):.1f}" fill-opacity="0.75">'
            f"<title>{escape(title)}</title></rect>"
        )
    parts.append(_time_axis(whole_us, _MEMORY_HEIGHT))
    return svg(_WIDTH, _MEMORY_HEIGHT + _AXIS, "".join(parts))


def _repeated(block: BlockTimes, scale: float) -> str:
    """The turns after the first, which is drawn in full; `scale` in pixels a cycle."""
    start, end = _LEFT + (block.start + block.cycles) * scale, _LEFT + block.end * scale
    more = f"{block.turns - 1} more turns" if block.turns > 2 else "1 more turn"
    return (
        f'<rect x="{start:.1f}" y="0" width="{end - start:.1f}" height="{_MEMORY_HEIGHT}" '
        f'style="fill:var(--soft)"/><text x="{(start + end) / 2:.1f}" y="{_MEMORY_HEIGHT / 2:.0f}" '
        f'text-anchor="middle">{more} like this</text>'
    )


def roofline_drawing(roofline: Mapping[str, Any]) -> str:
    """A dot for each layer with weights under the two roofs, both axes logarithmic."""
    points = roofline["points"]
    peaks, ddr = roofline["peak_macs_per_cycle"], roofline["ddr_bytes_per_cycle"]
    peak = max(peaks.values())
    if not points:
        return "<p>no layer with weights goes through DDR</p>"
    ridge = peak / ddr
    left, right = _octaves([ridge, *(point["macs_per_byte"] for point in points)])
    low, high = _octaves([peak, *(point["macs_per_cycle"] for point in points)])

    def across(value: float) -> float:
        return _LEFT + (math.log10(value) - left) / (right - left) * (_WIDTH - _LEFT - _RIGHT)

    def down(value: float) -> float:
        return _HEAD + (_ROOF_HEIGHT - _HEAD) * (1 - (math.log10(value) - low) / (high - low))

    parts = []
    for power in range(left, right + 1):
        x = across(10.0**power)
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_HEAD}" y2="{_ROOF_HEIGHT}"/>'
            f'<text x="{x:.1f}" y="{_ROOF_HEIGHT + 16}" text-anchor="middle">{10.0**power:g}</text>'
        )
    for power in range(low, high + 1):
        y = down(10.0**power)
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT - 8}" y="{max(10, y + 4):.1f}" text-anchor="end">{10.0**power:g}</text>'
        )
    start = max(10.0**left, 10.0**low / ddr)
    roof = [(start, start * ddr), (ridge, peak), (10.0**right, peak)]
    path = " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in roof)
    parts.append(f'<polyline class="curve" points="{path}"/>')
    for rate in sorted({value for value in peaks.values() if value >= 10.0**low}):
        kinds = ", ".join(kind for kind, value in peaks.items() if value == rate)
        parts.append(
            f'<line class="clip" x1="{across(max(10.0**left, rate / ddr)):.1f}" x2="{_WIDTH - _RIGHT}" '
            f'y1="{down(rate):.1f}" y2="{down(rate):.1f}"/><text x="{_WIDTH - _RIGHT}" '
            f'y="{down(rate) - 5:.1f}" text-anchor="end">{escape(kinds)}</text>'
        )
    for point in points:
        title = (
            f"{point['layer']}: {point['macs_per_byte']:.1f} MACs a byte, "
            f"{point['macs_per_cycle']:.1f} MACs a cycle"
        )
        parts.append(
            f'<circle style="fill:var(--{KIND_COLOURS[point["kind"]]})" fill-opacity="0.6" '
            f'cx="{across(point["macs_per_byte"]):.1f}" cy="{down(point["macs_per_cycle"]):.1f}" r="4">'
            f"<title>{escape(title)}</title></circle>"
        )
    parts.append(
        f'<text x="{(_LEFT + _WIDTH) / 2}" y="{_ROOF_HEIGHT + 32}" text-anchor="middle">'
        "multiply-accumulates a byte of DDR</text>"
        f'<text x="{_LEFT}" y="12">multiply-accumulates a cycle</text>'
    )
    return svg(_WIDTH, _ROOF_HEIGHT + 40, "".join(parts))


def _octaves(values: Sequence[float]) -> tuple[int, int]:
    """Powers of ten around all values, different ones."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _time_axis(whole_us: float, y: int) -> str:
    unit, factor = ("ms", 1e-3) if whole_us > 2000 else ("us", 1.0)
    scale = (_WIDTH - _LEFT - _RIGHT) / max(whole_us * factor, 1e-9)
    ticks = "".join(
        f'<text x="{_LEFT + tick * scale:.1f}" y="{y + 18}" text-anchor="middle">{tick:g}</text>'
        for tick in round_ticks(0, whole_us * factor)
    )
    return (
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>{ticks}'
        f'<text x="{_WIDTH - _RIGHT}" y="{y + 32}" text-anchor="end">{unit}</text>'
    )
