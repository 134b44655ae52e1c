"""What holds for every graph: bounds are bounds, reports repeat, more of the chip is never worse."""

from __future__ import annotations

import json

import numpy as np
import pytest
from checked_graphs import Chain, assumed, march_with
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.bpu.checker.check import check_graph
from runtime.bpu.checker.json_report import json_report
from runtime.bpu.checker.multipliers import significant_bits
from runtime.bpu.checker.subject import subjects_of
from runtime.bpu.checker.sums import largest_sum
from runtime.bpu.checker.text_report import text_report
from runtime.bpu.march import load_march, march_names
from runtime.hbir.graph import Graph, Node
from runtime.hbir.ops import OPERATIONS
from runtime.hbir.reference_executor import ReferenceExecutor

SIZES = st.integers(1, 70)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Up to three convolutions of any channels over a small map."""
    chain = Chain((1, draw(SIZES), draw(st.integers(1, 12)), draw(st.integers(1, 20))))
    for index in range(draw(st.integers(1, 3))):
        multiplier = draw(st.integers(2**14, 2**15 - 1))
        chain.conv(
            f"layer{index}", draw(SIZES), kernel=(draw(st.sampled_from([1, 1, 3])), 1), multiplier=multiplier
        )
    return chain.graph()


@settings(max_examples=40, deadline=None)
@given(graphs(), st.sampled_from(march_names()))
def test_reports_repeat_and_add_up(graph: Graph, name: str) -> None:
    report = check_graph(graph, load_march(name))
    again = check_graph(graph, load_march(name))
    assert text_report(report) == text_report(again)
    assert json.dumps(json_report(report)) == json.dumps(json_report(again))
    assert sum(report.places.values()) == len(graph.nodes)
    assert report.fits == (not any(one.finding.level in ("cpu", "unsupported") for one in report.remarks))
    assert report.fits == (report.verdict == "fits")
    for node in report.nodes:
        assert node.padding is not None and 0 <= node.padding < 1
        assert (node.cycles is None) == (node.place == "CPU")
    for line in report.suggestions:
        assert line.saves is None or 0 <= line.saves <= 1
        assert set(line.nodes) <= {node.name for node in graph.nodes}


@settings(max_examples=40, deadline=None)
@given(graphs(), st.integers(8, 40), st.integers(1, 15))
def test_wider_arithmetic_keeps_what_fits(graph: Graph, accumulator: int, multiplier: int) -> None:
    def fits(extra: int) -> bool:
        bits = {
            "accumulator_bits": assumed(accumulator + extra),
            "multiplier_bits": assumed(multiplier + extra),
        }
        return check_graph(graph, march_with(lambda document: document["arithmetic"].update(bits))).fits

    assert fits(1) or not fits(0)


@pytest.mark.parametrize("op", OPERATIONS)
def test_no_input_makes_a_larger_sum(op: str) -> None:
    """Rescaled by 2^0, the reference's results are the sums: none leaves the bounds."""
    tried = 0
    for case in OPERATIONS[op].cases(np.random.default_rng(1)):
        (subject,) = subjects_of(case.graph, load_march("bayes"))
        total = largest_sum(subject)
        if total is None:
            continue
        if op in ("conv", "linear"):
            if case.graph.tensors[0].dtype != "int32":
                continue
            sums = ReferenceExecutor(case.graph)(case.inputs)[case.graph.outputs[0]]
        else:
            node = case.graph.nodes[0]
            # 2^14 at the shift 14 rescales by one; the bounds cut nothing.
            unscaled = {**node.attributes, "multiplier": 2**14, "shift": 14, "lo": -(2**40), "hi": 2**40}
            bare = Node(node.name, op, node.inputs, node.output, unscaled, node.constants)
            codes = [case.inputs[name] for name in node.inputs]
            sums = OPERATIONS[op].reference(bare, codes, subject.inputs)
        tried += 1
        assert total.lowest <= sums.min() and sums.max() <= total.highest
        assert -(2 ** (total.bits - 1)) <= total.lowest and total.highest < 2 ** (total.bits - 1)
    assert (tried > 0) == (op in _WITH_SUMS)


_WITH_SUMS = {
    *("conv", "linear", "view_sum", "avg_pool", "resize_bilinear", "grid_sample", "multiply"),
}


@given(st.integers(1, 2**15 - 1), st.integers(0, 10))
def test_significant_bits(odd: int, zeros: int) -> None:
    node = Node("n", "avg_pool", ("x",), "n", {"multiplier": (2 * odd - 1) << zeros})
    assert significant_bits(node) == (2 * odd - 1).bit_length()
