"""The file: read back equal, equal bytes for equal graphs, standard tools accept it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from every_operation import INT16, Rules, exported, graph_of
from small_networks import EveryOperation, calibrated, random_inputs

from runtime.hbir.codes import encode
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.onnx_file import read_graph, write_graph
from runtime.hbir.ops import OPERATIONS


@pytest.mark.parametrize("rules", [(), INT16], ids=["int8", "int16"])
def test_read_back_equal(tmp_path: Path, rules: Rules) -> None:
    _, graph = exported(rules)
    path = tmp_path / "model.hbir.onnx"
    write_graph(path, graph)
    assert read_graph(path) == graph


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_reads_back(tmp_path: Path, name: str) -> None:
    path = tmp_path / "one.onnx"
    for case in OPERATIONS[name].cases(np.random.default_rng(5)):
        write_graph(path, case.graph)
        assert read_graph(path) == case.graph


def test_equal_models_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        torch.manual_seed(0)
        network, _ = calibrated(EveryOperation())
        digest = write_graph(tmp_path / name, graph_of(network.eval()))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert len(digest) == 64


def test_the_digest_tells_models_apart(tmp_path: Path) -> None:
    graphs = exported()[1], exported(INT16)[1]
    first, second, again = (write_graph(tmp_path / "x", graph) for graph in (*graphs, graphs[0]))
    assert first == again != second


def test_stock_onnxruntime_runs_the_file(tmp_path: Path) -> None:
    _, graph = exported()
    path = tmp_path / "model.hbir.onnx"
    write_graph(path, graph)
    codes = encode(graph, dict(zip(("img", "points"), random_inputs(1), strict=True)))
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    found = session.run(list(graph.outputs), {name: value.numpy() for name, value in codes.items()})
    expected = TorchExecutor(graph)(codes)
    for name, values in zip(graph.outputs, found, strict=True):
        assert np.array_equal(values, expected[name].numpy())


def test_names_and_integers_are_in_the_file(tmp_path: Path) -> None:
    _, graph = exported()
    path = tmp_path / "model.hbir.onnx"
    write_graph(path, graph)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [node.name for node in model.graph.node] == [node.name for node in graph.nodes]
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    kinds = {value.type.tensor_type.elem_type for value in inferred.graph.value_info}
    assert kinds <= {onnx.TensorProto.INT8, onnx.TensorProto.INT32}
    assert {function.domain for function in model.functions} == {"specgen.hbir"}
