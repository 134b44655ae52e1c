"""Rules that warn or note, wherever a node runs, and suggestions."""

from __future__ import annotations

import pytest
from checked_graphs import Chain, assumed, bounds, march_with, sampled

from runtime.bpu.checker.check import check_graph
from runtime.bpu.checker.limit_advice import LIMIT_ADVICE
from runtime.bpu.checker.report import CheckReport
from runtime.bpu.march import load_march
from runtime.bpu.operation_measures import MEASURES
from runtime.hbir.graph import Graph

BAYES = load_march("bayes")


def said(report: CheckReport, rule: str) -> list[tuple[str, str, str]]:
    return [(one.node, one.finding.level, one.finding.message) for one in report.remarks if one.rule == rule]


@pytest.mark.parametrize(
    ("fraction_bits", "side", "points", "messages"),
    [
        (8, 127, "int16", []),
        (
            *(8, 128, "int16"),
            [
                "int16 points with 8 fraction bits reach pixel 127.996 of a map of 128 pixels: points beyond "
                "saturate"
            ],
        ),
        (7, 128, "int16", []),
        (4, 7, "int8", []),
        (
            *(4, 8, "int8"),
            [
                "int8 points with 4 fraction bits reach pixel 7.9375 of a map of 8 pixels: points beyond "
                "saturate"
            ],
        ),
    ],
)
def test_grid_reaches_every_pixel(fraction_bits: int, side: int, points: str, messages: list[str]) -> None:
    graph = sampled(fraction_bits=fraction_bits, size=(4, side), points=points)  # type: ignore[arg-type]
    report = check_graph(graph, BAYES)
    found = said(report, "grid_reaches_every_pixel")
    assert found == [("sample", "warning", message) for message in messages]
    # It samples wrong pixels wherever it runs.
    assert report.fits


def test_grid_steps() -> None:
    report = check_graph(sampled(fraction_bits=3, size=(8, 100)), BAYES)
    assert said(report, "grid_steps_are_fine") == [
        ("sample", "warning", "one step of the sampling points is 0.125 pixels, 3 fraction bits")
    ]
    assert not said(check_graph(sampled(fraction_bits=4, size=(8, 8)), BAYES), "grid_steps_are_fine")
    assert [line.text for line in report.suggestions] == [
        "points with 8 fraction bits instead of 3: the map of 100 pixels allows it (`grid_quant_scale: 2^-8`)"
    ]


def test_grid_that_no_fraction_helps() -> None:
    report = check_graph(sampled(fraction_bits=0, size=(4, 200), points="int8"), BAYES)
    grid = report.nodes[0].grid
    assert grid is not None and grid.best_fraction_bits is None
    assert said(report, "grid_reaches_every_pixel")


def test_mostly_padding() -> None:
    report = check_graph(Chain((1, 3, 8, 8)).conv("stem", 16).conv("next", 16).graph(), BAYES)
    assert said(report, "work_is_mostly_padding") == [
        ("stem", "note", "81% of the work is padding: channels 3 -> 16, width 8 in blocks of 16, 16 and 8")
    ]
    assert [node.padding for node in report.nodes] == [1 - 3 / 16, 0.0]
    assert report.padding == {"TAE": 1 - (3 + 16) / 32}


def test_on_chip_memory() -> None:
    tight = march_with(lambda document: document["memory"].update(on_chip_bytes=assumed(1024)))
    graph = Chain((1, 16, 8, 8)).conv("just", 16).conv("over", 17).graph()
    assert said(check_graph(graph, tight), "tensor_fits_on_chip") == [
        (
            *("over", "note"),
            "int8 (1, 17, 8, 8) takes 0.00104 MiB, on-chip memory is 0.000977 MiB (assumed: for a test)",
        )
    ]


def _twice() -> Graph:
    pool = {"kernel": (3, 3), "stride": (1, 1), "padding": (1, 1)}
    chain = Chain((1, 16, 8, 8)).conv("layer", 16).add("pool", "max_pool", pool)
    chain.add("pool.2", "max_pool", pool)
    first = chain.nodes[0]
    return chain.add("tied", "conv", dict(first.attributes), dict(first.constants)).graph()


def test_modules_used_twice() -> None:
    assert said(check_graph(_twice(), BAYES), "module_is_used_once") == [
        ("pool.2", "warning", "the module `pool` is used here again"),
        ("tied", "warning", "has the weights of `layer`: one module at two places"),
    ]


def test_modules_that_only_look_alike() -> None:
    """Slices are numbered parts of one module; layers of zeros are not tied."""
    chain = Chain((1, 16, 8, 8))
    chain.add("slice", "slice", {"axis": 1, "start": 0, "stop": 8})
    chain.add("slice.2", "slice", {"axis": 1, "start": 0, "stop": 4})
    chain.conv("a", 16, weight=0).conv("b.3", 16).conv("c", 16).conv("d", 16, weight=0)
    assert said(check_graph(chain.graph(), BAYES), "module_is_used_once") == []


def test_channels_beside_the_alignment() -> None:
    chain = Chain((1, 16, 256, 256)).conv("few", 9).conv("odd", 45, kernel=(3, 3)).conv("even", 48)
    (line,) = check_graph(chain.graph(), BAYES).suggestions
    assert (line.text, line.nodes) == ("45 output channels cost as much as 48; 32 would save", ("odd",))
    assert line.saves is not None and 0.01 < line.saves < 1


def test_depthwise_channels() -> None:
    chain = Chain((1, 40, 256, 256)).conv("depthwise", 40, groups=40, kernel=(3, 3))
    (line,) = check_graph(chain.graph(), BAYES).suggestions
    assert line.text == "40 output channels cost as much as 48; 32 would save"


@pytest.mark.parametrize(
    ("inputs", "outputs", "groups", "text"),
    [
        (64, 80, 4, "80 output channels in 4 groups cost as much as 128; 64 would save"),  # 20 -> 32 each
        (
            16,
            20,
            4,
            "20 output channels in 4 groups cost as much as 32; 16 would save",
        ),  # four at once: 20 -> 32
        (
            15,
            20,
            5,
            "20 output channels in 5 groups cost as much as 30; 15 would save",
        ),  # 6 would not fill 32
        (64, 64, 4, None),
        (64, 32, 4, None),  # 8 each, of at least 16: there are no fewer
        (15, 30, 5, None),  # 7 each would not fit
    ],
)
def test_grouped_channels(inputs: int, outputs: int, groups: int, text: str | None) -> None:
    chain = Chain((1, inputs, 256, 256)).conv("grouped", outputs, groups=groups, kernel=(3, 3))
    found = check_graph(chain.graph(), BAYES).suggestions
    assert [line.text for line in found] == ([] if text is None else [text])
    assert all(line.saves is not None and 0.1 < line.saves < 0.6 for line in found)


def test_int16_costs_more() -> None:
    chain = Chain((1, 64, 128, 128), "int16").conv("wide", 64, kernel=(3, 3), dtype="int16")
    (line,) = check_graph(chain.graph(), BAYES).suggestions
    assert (line.text, line.nodes) == ("int16 -> int8 input of `conv`", ("wide",))
    assert line.saves is not None and 0.2 < line.saves < 1


def test_what_mends_stands_first() -> None:
    chain = Chain((1, 16, 64, 64)).conv("large", 16, kernel=(9, 9)).conv("odd", 45, kernel=(3, 3))
    chain.add("flat", "max_pool", {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0)})
    report = check_graph(chain.graph(), load_march("bernoulli2"))
    assert [(line.text, line.nodes) for line in report.suggestions] == [
        (LIMIT_ADVICE["kernel"], ("large",)),
        ("45 output channels cost as much as 48; 32 would save", ("odd",)),
    ]


def test_refused_widths_are_named() -> None:
    chain = Chain((1, 16, 8, 8), "int16").conv("layer", 16, dtype="int16")
    lines = check_graph(chain.graph(), load_march("bernoulli2")).suggestions
    assert [line.text for line in lines] == [
        "int16 -> int8 input of `conv`, by a rule with `bits: 8`",
        "int16 -> int8 output of `conv`, by a rule with `bits: 8`",
    ]


def test_multipliers_of_the_first_generation() -> None:
    attributes = {**bounds("int8"), "multiplier": 3 * 2**13, "shift": 20, "kernel": (2, 2), "stride": (2, 2)}
    graph = Chain((1, 16, 8, 8)).add("pool", "avg_pool", attributes).graph()
    report = check_graph(graph, load_march("bernoulli2"))
    assert report.verdict == "falls to CPU: 1 node" and report.nodes[0].multiplier_bits == 2
    assert [line.text for line in report.suggestions] == [
        "quantise with scales whose ratios are powers of two"
    ]
    attributes["multiplier"] = 2**14
    graph = Chain((1, 16, 8, 8)).add("pool", "avg_pool", attributes).graph()
    assert check_graph(graph, load_march("bernoulli2")).fits


def test_every_limit_has_its_advice() -> None:
    assert set(LIMIT_ADVICE) == set(MEASURES)
