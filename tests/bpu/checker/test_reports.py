"""The two forms of a report, and the page of supported operations."""

from __future__ import annotations

import json
from pathlib import Path

from checked_graphs import Chain, assumed, march_with

from runtime.bpu.checker.check import check_graph
from runtime.bpu.checker.json_report import json_report
from runtime.bpu.checker.report import CheckReport
from runtime.bpu.checker.rules import RULES, explanation
from runtime.bpu.checker.supported_ops_page import page_lines, supported_ops_page
from runtime.bpu.checker.text_report import text_report
from runtime.bpu.march import load_march

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests" / "golden" / "checker" / "report.txt"


def small_report() -> CheckReport:
    """Something of everything, on numbers that no shipped file has."""

    def change(document: dict) -> None:
        document["name"] = "toy"
        document["memory"]["on_chip_bytes"] = assumed(2048)
        document["overhead"]["operation_cycles"] = assumed(10)
        document["operations"]["flip"]["runs_on"] = assumed("CPU")
        document["operations"]["conv"]["limits"] = [{"measure": "kernel", "at_most": assumed(3)}]
        for rates in document["macs_per_cycle"].values():
            for kind in rates:
                rates[kind] = assumed(64)
        document["memory"]["ddr_gb_per_s"] = assumed(8)
        document["memory"]["ddr_latency_ns"] = assumed(100)
        document["clock_ghz"] = assumed(1)
        document["lanes"] = {lane: assumed(32) for lane in document["lanes"]}

    pool = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0)}
    chain = Chain((1, 3, 16, 16)).conv("stem", 20, kernel=(3, 3)).conv("wide", 16, kernel=(5, 5), weight=1)
    chain.add("pool", "max_pool", pool).add("pool.2", "max_pool", pool).add("flip", "flip", {"axes": (3,)})
    return check_graph(chain.graph(), march_with(change))


def test_text() -> None:
    assert text_report(small_report()) == GOLDEN.read_text(encoding="utf-8")


def test_text_of_what_runs_nowhere() -> None:
    march = march_with(lambda document: document["operations"]["flip"].update(runs_on=assumed("unsupported")))
    chain = Chain((1, 16, 16, 16)).conv("stem", 16).add("flip", "flip", {"axes": (3,)})
    lines = text_report(check_graph(chain.graph(), march)).splitlines()
    assert lines[1] == "  2 nodes: 1 on TAE, 1 unsupported"


def test_text_of_what_has_no_graph() -> None:
    report = CheckReport(load_march("bayes"), refusal="`neck` computes an erf\nhint: use a block")
    assert text_report(report) == (
        "bayes: unsupported: no fixed-point graph can be made of the network\n"
        "  `neck` computes an erf\n"
        "  hint: use a block\n"
    )
    assert not report.fits and not report.runs
    assert json_report(report)["refusal"] == report.refusal


def test_json() -> None:
    written = json_report(small_report())
    assert json.loads(json.dumps(written)) == written
    assert list(written) == [
        *("version", "march", "verdict", "fits", "refusal", "places", "padding", "rules"),
        *("findings", "suggestions", "nodes"),
    ]
    assert written["verdict"] == "falls to CPU: 2 nodes"
    assert written["places"] == {"TAE": 1, "AAE": 2, "CPU": 2}
    assert next(one for one in written["findings"] if one["node"] == "wide") == {
        "node": "wide",
        "rule": "sizes_are_within_limits",
        "level": "cpu",
        "message": (
            "`conv` on toy: height or width of the kernel is 5, must be at most 3 (assumed: for a test)"
        ),
        "measure": "kernel",
        "found": 5,
        "limit": 3,
        "provenance": "assumed",
        "why": "for a test",
    }
    assert set(written["rules"]) == {finding["rule"] for finding in written["findings"]}
    assert written["nodes"][1] == {
        "name": "wide",
        "op": "conv",
        "place": "CPU",
        "in_shapes": [[1, 20, 16, 16]],
        "out_shape": [1, 16, 16, 16],
        "requested_bits": [8, 8],
        "granted_bits": [8, 8],
        "padding": 0.375,
        "cycles": None,
        "multiplier_bits": 1,
        "sum": {"lowest": -64000, "highest": 64000, "bits": 17, "float32_passes": 1},
        "grid": None,
    }


def test_every_key_is_documented() -> None:
    page = (ROOT / "docs" / "checker.md").read_text(encoding="utf-8")
    written = json_report(small_report())
    keys = {*written, *written["findings"][0], *written["suggestions"][0], *written["nodes"][0]}
    assert [key for key in sorted(keys) if f"`{key}`" not in page] == []


def test_every_rule_explains_itself() -> None:
    for rule in RULES:
        text = explanation(rule)
        assert text.endswith(".") and 30 < len(text) < 130, rule


def test_page_is_current() -> None:
    written = (ROOT / "docs" / "supported_ops.md").read_text(encoding="utf-8")
    assert written == supported_ops_page(), (
        "run `python -m runtime.bpu.checker.supported_ops_page > docs/supported_ops.md`"
    )


def test_page_follows_the_march() -> None:
    def change(document: dict) -> None:
        document["operations"]["flip"]["runs_on"] = assumed("CPU")
        document["operations"]["conv"]["limits"].append({"measure": "kernel", "at_least": assumed(2)})

    lines = list(page_lines([march_with(change)]))
    assert "| `flip` | CPU |" in lines
    assert "| `conv` | height or width of the kernel | at most 31, at least 2 |" in lines
