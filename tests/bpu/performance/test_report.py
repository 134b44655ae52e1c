"""`performance.json`: its layout, and that its parts agree with each other and with the program."""

from __future__ import annotations

import json
from typing import Any

import pytest
from every_operation import exported
from two_layers import two_layers

from runtime.bpu.compiler.compile import compile_graph
from runtime.bpu.graph_operations import operations_of_graph
from runtime.bpu.march import load_march
from runtime.bpu.network_cost import network_cost, network_microseconds
from runtime.bpu.performance.accuracy import schedule_accuracy
from runtime.bpu.performance.report import performance
from runtime.bpu.performance.timeline import timeline
from runtime.bpu.program.instruction import UNITS

MARCHES = ("bernoulli2", "bayes", "nash-m")
LAYER = {
    *("name", "op", "unit", "active_us", "compute_us", "share_of_latency", "overhead_us", "load_us"),
    *("store_us", "loaded_bytes", "stored_bytes", "macs", "instructions", "bound"),
}


def keys(document: dict[str, Any]) -> dict[str, set[str]]:
    return {key: set(value) for key, value in document.items() if isinstance(value, dict)}


def test_layout() -> None:
    graph, march = two_layers(), load_march("bayes")
    program = compile_graph(graph, march)
    document = performance(program, march, operations_of_graph(graph))
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert set(document) == {"format", "version", "source", "summary", "roofline", "buffers"}
    assert (document["format"], document["version"]) == ("specgen performance", 1)
    assert document["source"] == program.source
    summary = document["summary"]
    assert keys(summary) == {
        "performance": {"latency_us", "fps", "frame", "cores", "analytic_latency_us", "accuracy"},
        "ddr_access": {"loaded_bytes", "stored_bytes", "mean_gb_per_s"},
        "memory": {
            *("chip_bytes", "chip_peak_bytes", "ddr_bytes", "static_bytes", "input_bytes", "output_bytes"),
            "intermediate_bytes",
        },
        "utilisation": set(UNITS),
        "intervals": {"interval_us", "utilisation", "load_mb_per_s", "store_mb_per_s"},
        "model": {
            *("march", "march_digest", "clock_ghz", "options", "layers", "instructions", "turns", "macs"),
        },
    }
    assert all(set(layer) == LAYER for layer in summary["layers"])
    assert keys(document)["roofline"] == {"peak_macs_per_cycle", "ddr_bytes_per_cycle", "points"}
    assert summary["performance"]["frame"] == "one surround frame: all cameras of one moment"


def test_the_roofline_is_of_layers_with_weights() -> None:
    """Sampling and resizing multiply, too, but not on the tensor engine whose roofs are drawn."""
    _, graph = exported()
    march = load_march("bayes")
    operations = {one.name: one for one in operations_of_graph(graph)}
    document = performance(compile_graph(graph, march), march, list(operations.values()))
    drawn = [operations[point["layer"]] for point in document["roofline"]["points"]]
    assert (
        {one.op for one in drawn} == {"conv", "linear"} < {one.op for one in operations.values() if one.macs}
    )
    assert [point["kind"] for point in document["roofline"]["points"]] == [one.kind for one in drawn]
    assert {one.kind for one in drawn} == {"dense", "pointwise", "depthwise"}


@pytest.mark.parametrize("name", MARCHES)
def test_parts_agree(name: str) -> None:
    graph, march = two_layers(), load_march(name)
    program, operations = compile_graph(graph, march), operations_of_graph(graph)
    document = performance(program, march, operations)
    summary = document["summary"]
    speed, access, layers = summary["performance"], summary["ddr_access"], summary["layers"]
    cycles = timeline(program).cycles
    assert speed["latency_us"] == network_microseconds(march, cycles)
    assert speed["fps"] == pytest.approx(1e6 / speed["latency_us"] * speed["cores"])
    assert speed["cores"] == march.cores.value
    assert speed["analytic_latency_us"] == network_cost(march, operations).microseconds
    assert speed["accuracy"] == schedule_accuracy(march, program.options)
    for key in ("loaded_bytes", "stored_bytes"):
        assert access[key] == sum(layer[key] for layer in layers)
    moved = access["loaded_bytes"] + access["stored_bytes"]
    assert access["mean_gb_per_s"] == pytest.approx(moved / speed["latency_us"] / 1e3)
    busy = sum(layer["load_us"] + layer["store_us"] for layer in layers)
    shares = summary["utilisation"]
    assert (shares["LOAD"] + shares["STORE"]) * cycles * 1e-3 / march.clock_ghz.value == pytest.approx(busy)
    assert all(0 <= share <= 1 for share in shares.values())
    memory = summary["memory"]
    assert memory["chip_peak_bytes"] <= memory["chip_bytes"] == march.memory.on_chip_bytes.value
    assert memory["static_bytes"] == len(program.constants)
    assert (memory["input_bytes"], memory["output_bytes"]) == (90, 240)
    assert memory["ddr_bytes"] == program.ddr_bytes >= len(program.constants) + 90 + 240
    assert summary["model"]["macs"] == {"int8xint8": 4 * 3 * 9 * 30 + 2 * 4 * 9 * 30}
    assert [layer["name"] for layer in layers] == ["first", "second"]
    peak, slope = max(document["roofline"]["peak_macs_per_cycle"].values()), march.ddr_bytes_per_cycle
    points = document["roofline"]["points"]
    assert [point["layer"] for point in points] == ["first", "second"]
    for point in points:
        assert point["macs_per_cycle"] <= min(peak, point["macs_per_byte"] * slope)
    ends = [buffer["end_us"] for buffer in document["buffers"]]
    assert max(ends) <= speed["latency_us"]
    assert {buffer["layer"] for buffer in document["buffers"]} == {"first", "second"}
