"""Every operation of the graph on every march, one by one and in one network."""

from __future__ import annotations

import numpy as np
import pytest
from every_operation import INT16, exported

from runtime.bpu.checker.check import check_graph
from runtime.bpu.march import load_march, march_names
from runtime.hbir.ops import OPERATIONS

# Where operations of sizes within all limits run, int8 and with multipliers that are powers of two.
UNITS = {
    **{"conv": "TAE", "linear": "TAE", "add": "VAE", "multiply": "VAE", "concat": "VAE", "lookup": "VAE"},
    **{"view_sum": "VAE", "avg_pool": "AAE", "max_pool": "AAE", "resize_bilinear": "AAE"},
    **{"resize_nearest": "AAE", "grid_sample": "AAE", "slice": "DTE", "reshape": "DTE", "transpose": "DTE"},
    "flip": "DTE",
}
FIRST_GENERATION = {
    **UNITS,
    **{"grid_sample": "CPU", "transpose": "CPU", "reshape": "unsupported", "flip": "unsupported"},
}
PLACES = {name: FIRST_GENERATION if name == "bernoulli2" else UNITS for name in march_names()}


def test_the_table_is_complete() -> None:
    assert set(UNITS) == set(OPERATIONS)


@pytest.mark.parametrize("march", march_names())
@pytest.mark.parametrize("op", OPERATIONS)
def test_home_of_every_operation(march: str, op: str) -> None:
    """Every test vector is placed where the table says, or falls from there with a reason."""
    chip, expected = load_march(march), PLACES[march][op]
    places = set()
    for case in OPERATIONS[op].cases(np.random.default_rng(0)):
        report = check_graph(case.graph, chip)
        (node,) = report.nodes
        places.add(node.place)
        keeping = [one for one in report.remarks if one.finding.level in ("cpu", "unsupported")]
        if node.place == expected and expected not in ("CPU", "unsupported"):
            assert keeping == []
        else:
            assert keeping and node.place in ("CPU", expected)
    if march != "bernoulli2" or expected in ("CPU", "unsupported"):
        # The first generation has shifts only, which random multipliers are not.
        assert expected in places


@pytest.mark.parametrize(
    ("march", "verdict", "wide"),
    [
        (name, "fits", "falls to CPU: 9 nodes") if name != "bernoulli2" else (name, None, None)
        for name in march_names()
    ],
)
def test_the_network_of_all_operations(march: str, verdict: str | None, wide: str | None) -> None:
    reports = []
    for rules in ((), INT16):
        _, graph = exported(rules)
        report = check_graph(graph, load_march(march))
        assert [node.name for node in report.nodes] == [node.name for node in graph.nodes]
        assert sum(report.places.values()) == len(graph.nodes)
        reports.append(report)
    if verdict is None:
        assert all(report.verdict.startswith("unsupported: 1 node, falls to CPU: ") for report in reports)
        assert [node.name for node in reports[0].nodes if node.place == "unsupported"] == ["reshape"]
    else:
        assert [report.verdict for report in reports] == [verdict, wide]
