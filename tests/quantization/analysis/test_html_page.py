"""The page: whole, well formed, and drawn where the numbers say."""

import math
import re
from html.parser import HTMLParser

import pytest
from a_document import a_document

from runtime.quantization.analysis.html_page import analysis_page
from runtime.quantization.analysis.svg import bars, histogram, plan_curve

_VOID = {"meta", "rect", "line", "polyline"}


class Balance(HTMLParser):
    """Every tag that opens is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        assert tag in _VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_well_formed_and_self_contained() -> None:
    page = analysis_page(a_document(), title="0007 <calibration>")
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    assert "0007 &lt;calibration&gt;" in page
    assert not re.search(r"(?:src|href)=|@import|url\(", page)
    assert "prefers-color-scheme: dark" in page


def test_every_tensor_is_on_the_page() -> None:
    document = a_document()
    page = analysis_page(document, title="run")
    for part in ("ranges", "layers", "sensitivity"):
        assert all(item["name"] in page for item in document[part])
    assert page.count("<svg") == len(document["ranges"]) + 2
    assert all(item["token"] in page for item in document["worst_samples"])


def test_names_are_escaped() -> None:
    document = a_document()
    document["ranges"][0]["name"] = "<u>&"
    document["plan"]["skipped"][0]["reason"] = "<i>"
    page = analysis_page(document, title="run")
    assert "<u>" not in page and "<i>" not in page
    assert "&lt;u&gt;&amp;" in page and "&lt;i&gt;" in page


def test_clip_line_is_between_the_values_it_parts() -> None:
    item = {
        **{"bits": 8, "clip": 127.0, "low": 0.0, "high": 256.0},
        # 64 scales, 90.5 scales, then 128 scales and more.
        **{"first_bin": 12, "histogram": [4, 4, 1]},
    }
    drawing = histogram(item, octaves=(0, 8))
    found = [
        (kind, float(x), float(width))
        for kind, x, width in re.findall(
            r'<rect class="(\w+)" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawing
        )
    ]
    assert [kind for kind, _, _ in found] == ["bar", "bar", "cut"]
    line = float(re.search(r'<line class="clip" x1="([\d.]+)"', drawing).group(1))  # type: ignore[union-attr]
    assert found[1][1] < line <= found[2][1]
    assert line == pytest.approx(math.log2(127) * 2 * 176 / 16, abs=0.1)


def test_bars_start_at_a_common_zero() -> None:
    drawing = bars([("a", 2.0, "+2", "bar"), ("b", -1.0, "-1", "bar")])
    (first, long), (second, short) = (
        (float(x), float(width))
        for x, width in re.findall(r'<rect class="bar" x="([\d.]+)" y="\d+" width="([\d.]+)"', drawing)
    )
    assert long == pytest.approx(2 * short, abs=0.2)
    assert second + short == pytest.approx(first, abs=0.2)
    assert bars([]) == "<p>none</p>"


def test_curve_falls_as_the_loss_does() -> None:
    points = [
        {"raised": raised, "loss": loss, "output_sqnr_db": 30.0}
        for raised, loss in ((0, 3.0), (1, 2.0), (2, 2.5))
    ]
    drawing = plan_curve({"points": points, "float_loss": 1.0, "chosen": 1})
    circles = re.findall(r'<circle class="(\w+)" cx="([\d.]+)" cy="([\d.]+)"', drawing)
    assert [kind for kind, _, _ in circles] == ["dot", "chosen", "dot"]
    heights = [float(y) for _, _, y in circles]
    assert heights[0] < heights[2] < heights[1]
    float_line = float(re.search(r'<line class="clip"[^>]* y1="([\d.]+)"', drawing).group(1))  # type: ignore[union-attr]
    assert float_line > heights[1]


def test_curve_of_losses_that_are_all_the_same() -> None:
    points = [{"raised": 0, "loss": 0.0, "output_sqnr_db": 200.0}]
    assert plan_curve({"points": points, "float_loss": 0.0, "chosen": 0}).count("<circle") == 1
