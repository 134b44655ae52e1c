"""The time of the compiled network beside the estimate."""

from __future__ import annotations

import pytest

from benchmarks.networks.catalogue import LAYERS
from runtime.bpu.compiler import CompilerOptions, compile_graph
from runtime.bpu.estimate.as_graph.network_graph import as_graph
from runtime.bpu.estimate.document import estimates_document
from runtime.bpu.estimate.estimate import estimate
from runtime.bpu.estimate.float_graph import FloatGraph, FloatNode
from runtime.bpu.estimate.lowering import network_of
from runtime.bpu.estimate.schedule import NoSchedule, Schedule, schedule_of, schedules_of
from runtime.bpu.estimate.subject import Subject
from runtime.bpu.estimate.text import estimates_text
from runtime.bpu.graph_operations import operations_of_graph
from runtime.bpu.march import load_march
from runtime.bpu.performance.report import performance

MAP, GRID = (1, 16, 12, 16), (1, 6, 8, 2)


def warping() -> FloatGraph:
    """What `bernoulli2` does not run."""
    sample = FloatNode(
        kind="grid_sample", inputs=("x", "points"), in_shapes=(MAP, GRID), output="y", out_shape=(1, 16, 6, 8)
    )
    return FloatGraph({"x": MAP, "points": GRID}, ("y",), (sample,))


@pytest.mark.parametrize("level", [0, 2])
def test_it_is_what_the_performance_report_says(level: int) -> None:
    graph, march = as_graph(LAYERS["MobileNetV1"]((1, 3, 64, 64)).graph), load_march("bayes-e")
    options = CompilerOptions(level)  # type: ignore[arg-type]
    found = schedule_of(graph, march, options)
    program = compile_graph(graph, march, options)
    summary = performance(program, march, operations_of_graph(graph))["summary"]
    assert found.microseconds == summary["performance"]["latency_us"]
    assert found.accuracy == summary["performance"]["accuracy"]
    access = summary["ddr_access"]
    assert (found.loaded_bytes, found.stored_bytes) == (access["loaded_bytes"], access["stored_bytes"])


def test_a_march_that_does_not_run_it_says_why() -> None:
    found = schedules_of(as_graph(warping()), [load_march("nash-e"), load_march("bernoulli2")])
    assert isinstance(found["nash-e"], Schedule)
    refused = found["bernoulli2"]
    assert isinstance(refused, NoSchedule)
    assert refused.reason.startswith("node `y`: `grid_sample` ")


def test_text_and_document() -> None:
    marches = [load_march("nash-e"), load_march("bernoulli2")]
    network, schedules = network_of(warping()), schedules_of(as_graph(warping()), marches)
    estimates = [estimate(network.operations, march) for march in marches]
    subject = Subject("net.onnx", "float ONNX", network.run)
    lines = estimates_text(subject, network, estimates, top=0, schedules=schedules).splitlines()
    found = schedules["nash-e"]
    assert isinstance(found, Schedule)
    head = next(place for place, line in enumerate(lines) if line.startswith("compiled for"))
    assert lines[head].split() == ["compiled", "for", "ms", "DDR", "MB", "error"]
    assert lines[head + 1].split()[:3] == [
        "nash-e",
        f"{found.microseconds / 1e3:.3f}",
        f"{found.ddr_bytes / 1e6:.2f}",
    ]
    assert lines[head + 1].endswith(found.accuracy["text"])
    assert lines[head + 2].startswith("not compiled for bernoulli2: node `y`: ")
    told = estimates_document(subject, network, estimates, schedules=schedules)["marches"]
    assert told[0]["schedule"]["milliseconds"] == found.microseconds / 1e3
    assert set(told[1]["schedule"]) == {"refused"}
    assert estimates_document(subject, network, estimates)["marches"][0]["schedule"] is None
