"""The page: whole, well formed, and drawn where the numbers say."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from timed_programs import slow_program
from two_layers import two_layers

from runtime.bpu.graph_operations import operations_of_graph
from runtime.bpu.march import load_march
from runtime.bpu.performance.drawings import memory_drawing, roofline_drawing, timeline_drawing
from runtime.bpu.performance.page import performance_page
from runtime.bpu.performance.report import performance
from runtime.bpu.performance.timeline import timeline
from runtime.bpu.program.program import Program


class Balance(HTMLParser):
    """Every tag that opens is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        """Opens and closes at once."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page_of(program: Program) -> str:
    march = load_march(program.march)
    document = performance(program, march, operations_of_graph(two_layers()))
    return performance_page(document, program, timeline(program), title="0007 <compile>")


@pytest.mark.parametrize("turns", [1, 2, 6])
def test_well_formed_and_self_contained(turns: int) -> None:
    page = page_of(slow_program(turns))
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    assert "0007 &lt;compile&gt;" in page
    assert not re.search(r"(?:src|href)=|@import|url\(", page)
    assert page.count("<svg") == 3
    more = {1: 0, 2: "1 more turn like this", 6: "5 more turns like this"}[turns]
    assert page.count("like this") == 0 if more == 0 else page.count(str(more)) == 2


def test_names_are_escaped() -> None:
    program = slow_program()
    first, second = program.layers
    page = page_of(replace(program, layers=(replace(first, name="<u>&"), second)))
    assert "<u>" not in page and page.count("&lt;u&gt;&amp;") > 3


def test_lanes_show_when_units_are_busy() -> None:
    program = slow_program()
    times = timeline(program)
    drawing = timeline_drawing(program, times, us_per_cycle=1e-3)
    rects = re.findall(r'<rect x="([\d.]+)" y="(\d+)" width="([\d.]+)"', drawing)
    lanes: dict[int, float] = {}
    for _, y, width in rects:
        lanes[int(y) // 26] = lanes.get(int(y) // 26, 0.0) + float(width)
    for lane, unit in enumerate(("LOAD", "STORE", "TAE")):
        busy = sum(span.end - span.start for span in times.spans() if span.instruction.unit == unit)
        assert lanes[lane] == pytest.approx(1100 * busy / times.cycles, abs=1.0)
    assert set(lanes) == {0, 1, 2}
    # Loads of one layer that follow each other are one bar: one before each of the two layers.
    assert sum(int(y) // 26 == 0 for _, y, _ in rects) == 2


def test_memory_is_drawn_as_far_up_as_it_is_used() -> None:
    times = timeline(slow_program())
    buffer = {"layer": "a", "loaded": True, "address": 50, "size": 50, "start_us": 0.0, "end_us": 1.0}
    memory = {"chip_bytes": 1000, "chip_peak_bytes": 100}
    drawing = memory_drawing([buffer], memory, times, 1e-3)
    y, height = re.search(
        r'class="under" x="70.0" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', drawing
    ).groups()  # type: ignore[union-attr]
    assert float(y) == pytest.approx(320 - 320 * 100 / 120, abs=0.1)
    assert float(height) == pytest.approx(320 * 50 / 120, abs=0.1)
    assert 'class="clip"' not in drawing
    assert 'class="clip"' in memory_drawing([buffer], {**memory, "chip_bytes": 110}, times, 1e-3)


def test_no_dot_is_above_its_roof() -> None:
    points = [
        {"layer": "slope", "kind": "dense", "macs_per_byte": 2.0, "macs_per_cycle": 8.0},
        {"layer": "flat", "kind": "pointwise", "macs_per_byte": 5000.0, "macs_per_cycle": 1000.0},
    ]
    peaks = {"dense": 1000.0, "pointwise": 1000.0, "depthwise": 100.0}
    drawing = roofline_drawing({"peak_macs_per_cycle": peaks, "ddr_bytes_per_cycle": 4.0, "points": points})
    (a, b, c) = (
        tuple(float(number) for number in pair.split(","))
        for pair in re.search(r'<polyline class="curve" points="([^"]+)"', drawing).group(1).split()  # type: ignore[union-attr]
    )
    dots = [(float(x), float(y)) for x, y in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', drawing)]
    slope = (b[1] - a[1]) / (b[0] - a[0])
    assert dots[0][1] == pytest.approx(a[1] + slope * (dots[0][0] - a[0]), abs=0.5)
    assert dots[1][1] == b[1] == c[1]
    # The highest roof is a power of ten here: its name stands above it, still within the drawing.
    labels = {
        name: float(y) for y, name in re.findall(r'y="([-\d.]+)" text-anchor="end">([a-z, ]+)<', drawing)
    }
    assert set(labels) == {"dense, pointwise", "depthwise"}
    assert min(labels.values()) > 10


def test_nothing_to_draw() -> None:
    empty = {"peak_macs_per_cycle": {"dense": 1.0}, "ddr_bytes_per_cycle": 1.0, "points": []}
    assert roofline_drawing(empty) == "<p>no layer with weights goes through DDR</p>"
