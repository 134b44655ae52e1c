"""The tables that a terminal shows."""

import subprocess
import sys

import pytest
from a_document import a_document

from runtime.quantization.analysis.text_tables import (
    analysis_text,
    layers_table,
    plan_table,
    ranges_table,
    sensitivity_table,
)


@pytest.mark.parametrize("width", [60, 80, 110])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    document = a_document()
    for item in (*document["layers"], *document["sensitivity"], *document["ranges"]):
        item["name"] = f"some.very.long.path.through.the.model.{item['name']}.that.never.seems.to.end"
    document["plan"]["skipped"].append({"name": "a.b" * 60, "reason": "it cannot be, " * 20})
    lines = analysis_text(document, width=width).splitlines()
    assert max(len(line) for line in lines) <= width


def test_layers_furthest_off_first() -> None:
    document = a_document()
    lines = layers_table(document, 3, 110).splitlines()
    assert len(lines) == 5
    order = sorted(
        (layer for layer in document["layers"] if layer["accumulated"]),
        key=lambda layer: layer["accumulated"]["sqnr_db"],
    )
    assert [line.split()[0] for line in lines[2:]] == [layer["name"] for layer in order[:3]]
    assert f"{order[0]['accumulated']['sqnr_db']:.1f}" in lines[2]


def test_most_cut_off_first() -> None:
    document = a_document()
    document["ranges"][1]["saturated"] = 0.25
    first = ranges_table(document, 1, 110).splitlines()[2]
    assert first.split()[0] == document["ranges"][1]["name"]
    assert "25.0000 %" in first


def test_sensitivity_as_ranked() -> None:
    document = a_document()
    lines = sensitivity_table(document, 100, 110).splitlines()
    assert lines[0] == "sensitivity, on 3 samples"
    assert [line.split()[0] for line in lines[2:]] == [item["name"] for item in document["sensitivity"]]


def test_plan_with_rules_and_reasons() -> None:
    document = a_document()
    plan = document["plan"]
    plan["float_loss"], plan["chosen"] = 1.0, 1
    plan["rules"] = [step["rule"] for step in plan["steps"][:1]]
    plan["points"] = plan["points"][:2]
    plan["points"][0]["loss"], plan["points"][1]["loss"] = 2.0, 1.25
    plan["skipped"] = [{"name": "a", "reason": "too wide"}, {"name": "b", "reason": "too wide"}]
    name = plan["steps"][0]["name"] = "a.tensor.with.a.name." + "as_long." * 12 + "as_they_get"
    lines = plan_table(document, 110).splitlines()
    assert lines[0] == "plan: tensors raised to int16 (float: task loss 1.0000; * proposed)"
    assert lines[1].split("  ")[-1] == "cycles on some-chip"
    assert lines[3].split()[:4] == ["1", "*", "1.2500", "75"]
    assert lines[4].startswith(f"  - {{match: {name}, bits: 16}}  # +")
    assert lines[5:] == ["cannot be raised: 2", "  too wide", "    a, b"]


def test_nothing_to_gain() -> None:
    document = a_document()
    plan = document["plan"]
    plan["chosen"], plan["rules"] = 0, []
    plan["float_loss"] = plan["points"][0]["loss"] + 1
    assert "no rule is proposed: fixed point costs no loss" in plan_table(document, 110)
    plan["float_loss"] = plan["points"][0]["loss"] - 1
    assert "no rule is proposed: none lowers the loss" in plan_table(document, 110)


def test_reading_needs_no_torch() -> None:
    code = (
        "import sys, runtime.quantization.analysis.text_tables, runtime.quantization.analysis.html_page; "
        "sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
