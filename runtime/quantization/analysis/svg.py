"""The drawings of the analysis page: small SVG texts, coloured by the classes of its style sheet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from runtime.web_page import round_ticks, svg

_HISTOGRAM = (176, 34)
_CURVE = (760, 300)
_BAR_HEIGHT, _BAR_WIDTH, _NAME_WIDTH, _VALUE_WIDTH = 20, 330, 440, 90


def histogram(item: Mapping[str, Any], *, octaves: tuple[int, int]) -> str:
    """Magnitudes of a tensor, a bar for each half octave, with the largest code as a line.

    Args:
        item: an entry of `ranges`.
        octaves: first and last power of two, in scales, of the axis.
    """
    width, height = _HISTOGRAM
    first, last = octaves[0] * 2, octaves[1] * 2
    step = width / (last - first)
    most = max(item["histogram"], default=0)
    clip = math.log2(2 ** (item["bits"] - 1) - 1) * 2
    parts = []
    for index, count in enumerate(item["histogram"]):
        start = index + item["first_bin"]
        if not count or not first <= start < last:
            continue
        # Roots keep rare values visible.
        tall = max(1.0, math.sqrt(count / most) * (height - 4))
        kind = "cut" if start + 0.5 >= clip else "under" if start < -2 else "bar"
        x, y = (start - first) * step, height - tall
        parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{step - 0.5:.1f}" height="{tall:.1f}"/>'
        )
    at = (clip - first) * step
    parts.append(f'<line class="clip" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{height}"/>')
    title = f"largest code: {item['clip']:.4g}; seen: {item['low']:.4g} to {item['high']:.4g}"
    return svg(width, height, f"<title>{escape(title)}</title>{''.join(parts)}")


def bars(rows: Sequence[tuple[str, float, str, str]]) -> str:
    """Bars from a common zero: (name, value, what is written beside it, class)."""
    if not rows:
        return "<p>none</p>"
    low, high = min(0.0, *(row[1] for row in rows)), max(0.0, *(row[1] for row in rows))
    scale = _BAR_WIDTH / ((high - low) or 1.0)
    zero = _NAME_WIDTH - low * scale
    parts = []
    for index, (name, value, text, kind) in enumerate(rows):
        y = index * _BAR_HEIGHT
        x, long = (zero, value * scale) if value >= 0 else (zero + value * scale, -value * scale)
        baseline = y + _BAR_HEIGHT - 6
        parts.append(
            f'<text class="name" x="{_NAME_WIDTH - 8}" y="{baseline}" text-anchor="end">'
            f"{_fitting(name)}</text>"
            f'<rect class="{kind}" x="{x:.1f}" y="{y + 3}" width="{max(long, 0.5):.1f}" '
            f'height="{_BAR_HEIGHT - 6}"/>'
            f'<text x="{_NAME_WIDTH + _BAR_WIDTH + 8}" y="{baseline}">{escape(text)}</text>'
        )
    height = len(rows) * _BAR_HEIGHT
    parts.append(f'<line class="axis" x1="{zero:.1f}" x2="{zero:.1f}" y1="0" y2="{height}"/>')
    return svg(_NAME_WIDTH + _BAR_WIDTH + _VALUE_WIDTH, height, "".join(parts))


def plan_curve(plan: Mapping[str, Any]) -> str:
    """Task loss over the number of raised tensors, with the float model's loss as a broken line."""
    width, height = _CURVE
    left, right, top, bottom = 80.0, width - 20.0, 20.0, height - 46.0
    points = plan["points"]
    losses = [point["loss"] for point in points]
    low, high = min(*losses, plan["float_loss"]), max(*losses, plan["float_loss"])
    margin = 0.08 * ((high - low) or abs(high) or 1.0)
    low, high = low - margin, high + margin

    def across(index: int) -> float:
        return left + (right - left) * (index + 0.5) / len(points)

    def down(loss: float) -> float:
        return bottom - (bottom - top) * (loss - low) / (high - low)

    parts = [f'<line class="axis" x1="{left}" x2="{right}" y1="{bottom}" y2="{bottom}"/>']
    for tick in round_ticks(low, high):
        parts.append(
            f'<line class="grid" x1="{left}" x2="{right}" y1="{down(tick):.1f}" y2="{down(tick):.1f}"/>'
            f'<text x="{left - 8}" y="{down(tick) + 4:.1f}" text-anchor="end">{tick:.6g}</text>'
        )
    at = down(plan["float_loss"])
    parts.append(
        f'<line class="clip" x1="{left}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>'
        f'<text x="{right}" y="{at - 6:.1f}" text-anchor="end">float</text>'
    )
    path = " ".join(f"{across(index):.1f},{down(loss):.1f}" for index, loss in enumerate(losses))
    parts.append(f'<polyline class="curve" points="{path}"/>')
    for index, point in enumerate(points):
        kind = "chosen" if point["raised"] == plan["chosen"] else "dot"
        parts.append(
            f'<circle class="{kind}" cx="{across(index):.1f}" cy="{down(point["loss"]):.1f}" r="5">'
            f"<title>{point['raised']} raised: task loss {point['loss']:.5f}, results "
            f"{point['output_sqnr_db']:.1f} dB</title></circle>"
            f'<text x="{across(index):.1f}" y="{bottom + 18}" text-anchor="middle">{point["raised"]}</text>'
        )
    middle = (left + right) / 2
    parts.append(f'<text x="{middle}" y="{height - 8}" text-anchor="middle">tensors raised to int16</text>')
    parts.append(f'<text x="{left}" y="12" text-anchor="end">task loss</text>')
    return svg(width, height, "".join(parts))


def _fitting(name: str) -> str:
    # 12 px letters of about 7 px each.
    most = (_NAME_WIDTH - 12) // 7
    return escape(name if len(name) <= most else f"…{name[len(name) - most + 1 :]}")
