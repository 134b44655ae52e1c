"""The whole BEV model: six views, int16 points from the host, a constant grid in the segmentation head."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch

from runtime.hbir.codes import decode, encode
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.export.from_program import graph_of_program
from runtime.hbir.graph import Graph
from runtime.hbir.onnx_file import read_graph, write_graph
from runtime.hbir.onnxruntime_executor import OnnxRuntimeExecutor
from runtime.models.structure import BevStructure, DeployedModel
from runtime.quantization.calibration import finish_observing, start_observing
from runtime.quantization.config import QuantizationConfig, QuantizationRule
from runtime.quantization.convert import convert_structure
from runtime.quantization.export_program import PREFIX, export_structure, module_aliases
from runtime.quantization.fold_bn import fold_batch_norm
from runtime.quantization.graph import graph_of

MODELS = Path(__file__).resolve().parents[1] / "models" / "conftest.py"
SIZE = (32, 64)


def parts() -> Any:
    """The builders that the tests of models share."""
    spec = importlib.util.spec_from_file_location("models_for_hbir", MODELS)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def inputs(model: BevStructure, samples: int) -> dict[str, torch.Tensor]:
    img = torch.randint(-128, 128, (6 * samples, 3, *SIZE)) / 128
    height, width = model.view_transformer.feature_shape(SIZE)
    points = torch.randint(-256, 256 * width, (6 * samples, *model.view_transformer.grid.shape, 2)) / 256
    return {"img": img, "points": points.clamp(max=float(max(height, width)))}


@pytest.fixture(scope="module")
def exported() -> tuple[BevStructure, Graph]:
    torch.manual_seed(0)
    model = parts().build_model(
        input_hw=SIZE,
        bev_size=(8.0, 8.0, 1.0),
        task_size=(4.0, 4.0, 0.5),
        width=0.25,
        depth=0.3,
        indexes=(-4, -1),
        neck_channels=8,
        bev_channels=8,
        head_channels=8,
        stack=1,
        drop_prob=0.0,
    )
    fold_batch_norm(model.eval())
    rules = [QuantizationRule(match="img", scale=1 / 128), QuantizationRule(op="output", bits=32)]
    convert_structure(model, QuantizationConfig(rules=rules), image_size=SIZE, num_views=6)
    start_observing(model)
    with torch.no_grad():
        model.raw_outputs(**inputs(model, 1))
    finish_observing(model)
    program = export_structure(model, image_size=SIZE, num_views=6)
    aliases = module_aliases(DeployedModel(model))
    return model, graph_of_program(program, prefix=PREFIX, aliases=aliases)


@pytest.mark.parametrize("samples", [1, 2])
def test_executors_give_the_codes_of_evaluation(
    exported: tuple[BevStructure, Graph], samples: int, tmp_path: Path
) -> None:
    model, graph = exported
    write_graph(tmp_path / "model.hbir.onnx", graph)
    assert read_graph(tmp_path / "model.hbir.onnx") == graph
    real = inputs(model, samples)
    codes = encode(graph, real)
    by_torch, by_onnx = TorchExecutor(graph)(codes), OnnxRuntimeExecutor(graph, threads=1)(codes)
    with torch.no_grad():
        evaluated = model.raw_outputs(**real)
    decoded = decode(graph, by_torch)
    assert list(decoded) == list(evaluated)
    for name, value in evaluated.items():
        assert torch.equal(decoded[name], value), name
        assert torch.equal(by_torch[name], by_onnx[name]), name


def test_inputs_are_those_of_the_chip(exported: tuple[BevStructure, Graph]) -> None:
    _, graph = exported
    assert [(tensor.name, tensor.dtype, tensor.shape) for tensor in graph.inputs] == [
        ("img", "int8", (6, 3, 32, 64)),
        ("points", "int16", (6, 16, 16, 2)),
    ]


def test_the_constant_grid_is_in_the_graph(exported: tuple[BevStructure, Graph]) -> None:
    model, graph = exported
    (node,) = (node for node in graph.nodes if "points" in node.constants)
    assert node.name == "bev_decoders.bev_seg.resample"
    points = model.get_submodule("bev_decoders.bev_seg").points
    scale = model.get_submodule("bev_decoders.bev_seg.resample").sample.point_scale
    assert torch.equal(torch.from_numpy(node.codes("points")).float() * scale, points)


def test_every_quantised_tensor_is_a_tensor_of_the_graph(exported: tuple[BevStructure, Graph]) -> None:
    model, graph = exported
    known = {node.name for node in graph.nodes} | set(graph.types)
    assert set(graph_of(model).modules) <= known
