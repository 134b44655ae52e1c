"""Rules that keep a node from the BPU: each fires on a graph made for it, and on nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from checked_graphs import Chain, Document, assumed, march_with, sampled

from runtime.bpu.checker.check import check_graph
from runtime.bpu.checker.placement import PLACEMENT_RULES
from runtime.bpu.checker.report import CheckReport
from runtime.bpu.march import load_march
from runtime.bpu.march_data import March
from runtime.hbir.graph import Graph

FLIP = {"axes": (3,)}


def fired(report: CheckReport) -> set[str]:
    """Rules that keep a node from the BPU."""
    return {one.rule for one in report.remarks if one.finding.level in ("cpu", "unsupported")}


def conv(**changes: object) -> Graph:
    return Chain((1, 16, 8, 8)).conv("layer", 16, **changes).graph()  # type: ignore[arg-type]


def wide() -> Graph:
    return Chain((1, 16, 8, 8), "int16").conv("layer", 16, dtype="int16").graph()


def _without_flip(document: Document) -> None:
    del document["operations"]["flip"]


def _without_int16_rate(document: Document) -> None:
    del document["macs_per_cycle"]["int16xint8"]


def _narrow_outputs(document: Document) -> None:
    document["operations"]["conv"]["out_bits"] = assumed([32])


def _few_multiplier_bits(document: Document) -> None:
    document["arithmetic"]["multiplier_bits"] = assumed(3)


def _few_accumulator_bits(document: Document) -> None:
    document["arithmetic"]["accumulator_bits"] = assumed(12)


CASES: list[tuple[str, Graph, Callable[[], March], str, str]] = [
    (
        "operation_runs_on_the_bpu",
        Chain((1, 16, 8, 8)).add("layer", "flip", FLIP).graph(),
        lambda: march_with(_without_flip),
        "unsupported: 1 node",
        "`flip` is not known to bayes",
    ),
    (
        "operation_runs_on_the_bpu",
        Chain((1, 16, 8, 8)).add("layer", "flip", FLIP).graph(),
        lambda: load_march("bernoulli2"),
        "unsupported: 1 node",
        "`flip` is not supported on bernoulli2 (assumed: not in the public lists)",
    ),
    (
        "operation_runs_on_the_bpu",
        sampled(fraction_bits=8, size=(8, 8)),
        lambda: load_march("bernoulli2"),
        "falls to CPU: 1 node",
        "`grid_sample` runs on the CPU of bernoulli2 (published: D-Robotics/rdk_doc, supported_op_list.md)",
    ),
    (
        "input_has_a_known_width",
        Chain((1, 16, 8, 8), "int16")
        .add("layer", "max_pool", {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0)}, dtype="int16")
        .graph(),
        lambda: load_march("bayes"),
        "falls to CPU: 1 node",
        "`max_pool` on bayes takes input of int8, not int16 (assumed: not in the public list of "
        "int16-capable operations)",
    ),
    (
        "output_has_a_known_width",
        conv(),
        lambda: march_with(_narrow_outputs),
        "falls to CPU: 1 node",
        "`conv` on bayes takes output of int32, not int8 (assumed: for a test)",
    ),
    (
        "input_width_has_a_rate",
        wide(),
        lambda: march_with(_without_int16_rate),
        "falls to CPU: 1 node",
        "the tensor engine of bayes has a rate for int8, not for int16",
    ),
    (
        "sizes_are_within_limits",
        conv(kernel=(9, 1)),
        lambda: march_with(
            lambda document: document["operations"]["conv"]["limits"].append(
                {"measure": "kernel", "at_most": assumed(7)}
            )
        ),
        "falls to CPU: 1 node",
        "`conv` on bayes: height or width of the kernel is 9, must be at most 7 (assumed: for a test)",
    ),
    (
        "multiplier_has_few_enough_bits",
        conv(multiplier=2**14 + 2**9),
        lambda: march_with(_few_multiplier_bits),
        "falls to CPU: 1 node",
        "multipliers need 6 significant bits, bayes applies 3 (assumed: for a test)",
    ),
    (
        "sum_fits_the_accumulator",
        conv(weight=1),
        lambda: march_with(_few_accumulator_bits),
        "falls to CPU: 1 node",
        "sums reach 2048, which takes 13 bits; the accumulator of bayes has 12 (assumed: for a test)",
    ),
]


@pytest.mark.parametrize(("rule", "graph", "march", "verdict", "message"), CASES)
def test_rule_fires(rule: str, graph: Graph, march: Callable[[], March], verdict: str, message: str) -> None:
    report = check_graph(graph, march())
    assert report.verdict == verdict and not report.fits
    assert report.runs == verdict.startswith("falls")
    found = {one.finding.message for one in report.remarks if one.rule == rule}
    assert message in found
    # Limits and widths of one node may break together; no other rule does here.
    assert fired(report) <= {rule, *(("output_has_a_known_width",) if "max_pool" in message else ())}


def test_every_placement_rule_has_a_case() -> None:
    assert {case[0] for case in CASES} == {rule.__name__ for rule in PLACEMENT_RULES}


@pytest.mark.parametrize("graph", [conv(), wide(), sampled(fraction_bits=8, size=(8, 8))])
def test_nothing_fires_on_what_fits(graph: Graph) -> None:
    report = check_graph(graph, load_march("bayes"))
    assert report.verdict == "fits" and report.fits and report.runs
    assert fired(report) == set()


def test_both_verdicts_together() -> None:
    chain = (
        Chain((1, 16, 8, 8)).add("turned", "transpose", {"order": (0, 1, 3, 2)}).add("layer", "flip", FLIP)
    )
    report = check_graph(chain.add("again", "flip", FLIP).graph(), load_march("bernoulli2"))
    assert report.verdict == "unsupported: 2 nodes, falls to CPU: 1 node"
    assert report.places == {"CPU": 1, "unsupported": 2}


def test_granted_widths() -> None:
    def granted(graph: Graph, march: str) -> tuple[int, int] | None:
        return check_graph(graph, load_march(march)).nodes[0].widths.granted

    assert granted(wide(), "bayes") == (16, 16)
    assert granted(wide(), "bernoulli2") == (8, 8)
    assert granted(sampled(fraction_bits=8, size=(8, 8)), "bernoulli2") is None
    narrow = march_with(_narrow_outputs)
    assert check_graph(conv(), narrow).nodes[0].widths.granted == (8, 32)


def test_an_accumulator_as_large_as_its_bits() -> None:
    """-2^11 has 12 bits, 2^11 has 13: weights are bounded on both sides alike."""
    single = Chain((1, 1, 8, 8)).conv("layer", 16, weight=16).graph()
    assert check_graph(single, march_with(_few_accumulator_bits)).verdict == "falls to CPU: 1 node"
    single = Chain((1, 1, 8, 8)).conv("layer", 16, weight=15).graph()
    assert check_graph(single, march_with(_few_accumulator_bits)).fits
    points = sampled(fraction_bits=2, size=(8, 8))  # -128 * 16 is the lowest, 127 * 16 the highest
    assert check_graph(points, march_with(_few_accumulator_bits)).fits
    total = check_graph(points, load_march("bayes")).nodes[0].largest_sum
    assert total is not None and (total.lowest, total.highest, total.bits) == (-2048, 2032, 12)


def test_float32_passes() -> None:
    """Sums below 2^24 take one pass; the weights of this layer add up to 2048 * 127 > 2^24 / 2^7."""
    many = Chain((1, 2048, 2, 2)).conv("layer", 16, weight=127).graph()
    few = Chain((1, 512, 2, 2)).conv("layer", 16, weight=127).graph()
    passes = []
    for graph in (few, many):
        total = check_graph(graph, load_march("bayes")).nodes[0].largest_sum
        assert total is not None
        passes.append((total.largest < 2**24, total.float32_passes))
    assert passes == [(True, 1), (False, 2)]
    assert np.abs(many.nodes[0].codes("weight")).sum(axis=(1, 2, 3)).max() * 128 >= 2**24
