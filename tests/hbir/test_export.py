"""From a calibrated model to the graph: equal codes by every executor, names kept, misuse refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from every_operation import INT16, Rules, exported, graph_of
from small_networks import EveryOperation, calibrated, converted, random_inputs
from torch import Tensor, nn

from runtime.errors import RunError
from runtime.hbir.codes import decode, encode
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.graph import Graph
from runtime.hbir.onnxruntime_executor import OnnxRuntimeExecutor
from runtime.hbir.ops import OPERATIONS
from runtime.hbir.reference_executor import ReferenceExecutor
from runtime.models.blocks import ConvBNAct, GridSample, Input
from runtime.quantization.calibration import set_state
from runtime.quantization.config import QuantizationRule
from runtime.quantization.export_program import export_program
from runtime.quantization.state import State


def differing(network: nn.Module, graph: Graph, samples: int) -> dict[str, int]:
    """Number of output codes in which any two of evaluation, executors and references differ."""
    img, points = random_inputs(samples)
    with torch.no_grad():
        evaluated = network(img, points)
    codes = encode(graph, {"img": img, "points": points})
    by_torch = TorchExecutor(graph)(codes)
    by_onnx = OnnxRuntimeExecutor(graph, threads=1)(codes)
    by_numpy = ReferenceExecutor(graph)({name: value.numpy() for name, value in codes.items()})
    real = decode(graph, by_torch)
    assert set(real) == set(evaluated)
    return {
        name: int((real[name] != evaluated[name]).sum())
        + int((by_torch[name] != by_onnx[name]).sum())
        + int((by_torch[name].numpy() != by_numpy[name]).sum())
        for name in evaluated
    }


@pytest.mark.parametrize("rules", [(), INT16], ids=["int8", "int16"])
@pytest.mark.parametrize("samples", [1, 3])
def test_all_executors_give_the_codes_of_evaluation(rules: Rules, samples: int) -> None:
    network, graph = exported(rules)
    assert differing(network, graph, samples) == {"map": 0, "other": 0, "class": 0}


def test_results_as_codes() -> None:
    rules = (QuantizationRule(match="map", bits=8), QuantizationRule(match="other", bits=16))
    network, graph = exported(rules)
    assert [graph.types[name].dtype for name in graph.outputs] == ["int8", "int16", "int32"]
    assert sum(differing(network, graph, 2).values()) == 0


def test_every_operation_of_the_arithmetic_occurs() -> None:
    _, graph = exported()
    assert set(OPERATIONS) - {node.op for node in graph.nodes} == {"transpose", "flip"}


def test_nodes_have_the_names_of_their_modules() -> None:
    network, graph = exported()
    modules = dict(network.named_modules())
    unnamed = [node.name for node in graph.nodes if node.name not in modules]
    assert unnamed == ["slice.0", "slice.1", "reshape"]
    assert [node.name for node in graph.nodes if node.op == "max_pool"] == ["pool"]


def test_a_sum_and_its_convolution_are_one_node() -> None:
    _, graph = exported()
    (node,) = (node for node in graph.nodes if "residual_multiplier" in node.constants)
    assert (node.name, node.inputs, node.output) == ("project", ("depthwise", "stem"), "residual")


def test_inputs_and_results_have_scales() -> None:
    network, graph = exported()
    assert [(tensor.name, tensor.dtype, tensor.shape) for tensor in graph.inputs] == [
        ("img", "int8", (2, 3, 12, 20)),
        ("points", "int16", (2, 5, 6, 2)),
    ]
    assert [tensor.scale for tensor in graph.inputs] == [(1 / 128,), (1 / 256,)]
    steps = network.map.step.flatten().tolist()
    assert list(graph.types["map"].scale) == steps and len(set(steps)) == 3


class Moves(nn.Module):
    """A constant grid, and every operator that moves values."""

    def __init__(self) -> None:
        super().__init__()
        self.img = Input()
        self.first = ConvBNAct(in_channels=3, out_channels=6)
        self.fixed = GridSample(point_scale=1 / 256)
        self.last = nn.Conv2d(4, 2, 1)
        self.sample = GridSample(point_scale=1 / 256)
        self.register_buffer("grid", torch.randint(-256, 2560, (1, 5, 6, 2)) / 256)

    def forward(self, img: Tensor, points: Tensor) -> dict[str, Tensor]:
        x = self.sample(self.first(self.img(img)), points)
        x = x.permute(0, 1, 3, 2).transpose(2, 3).flip(-1, 2)
        x = x[:, 1:-1, :, 1:].narrow(3, 1, 3).chunk(2, dim=3)[0]
        x = x.unsqueeze(1).squeeze(1).flatten(2).unflatten(2, (-1, 2))
        grid = self.get_buffer("grid").expand(x.shape[0], -1, -1, -1)
        return {"y": self.last(self.fixed(x, grid))}


def test_moves_and_constant_grids() -> None:
    network, _ = calibrated(Moves())
    graph = graph_of(network.eval())
    assert {"transpose", "flip", "slice", "reshape"} <= {node.op for node in graph.nodes}
    (node,) = (node for node in graph.nodes if node.name == "fixed")
    assert node.inputs == (graph.nodes[-3].output,)
    points = network.get_buffer("grid").numpy() * 256
    assert np.array_equal(node.codes("points"), points.astype(np.int64))
    assert differing(network, graph, 3) == {"y": 0}


def test_another_state_is_refused() -> None:
    network, _ = calibrated(EveryOperation())
    set_state(network, State.FLOAT)
    with pytest.raises(RunError, match="state `float` cannot be exported"):
        graph_of(network.eval())


def test_training_mode_is_refused() -> None:
    network, _ = calibrated(EveryOperation())
    with pytest.raises(RunError, match="a model in training mode"):
        graph_of(network.train())


def test_a_model_without_scales_is_refused() -> None:
    network, _ = converted(EveryOperation())
    with pytest.raises(RunError, match="never calibrated"):
        set_state(network, State.QUANTISE)


def test_tensors_kept_in_float_are_refused() -> None:
    network, _ = calibrated(EveryOperation(), [QuantizationRule(match="sum", keep_float=True)])
    with pytest.raises(RunError, match="`sum` are kept in float"):
        graph_of(network.eval())


class TwoScales(nn.Module):
    """One input in two precisions."""

    def __init__(self) -> None:
        super().__init__()
        self.img, self.again = Input(), Input()
        self.first = ConvBNAct(in_channels=3, out_channels=4)
        self.second = ConvBNAct(in_channels=3, out_channels=4)
        self.sample = GridSample(point_scale=1 / 256)
        self.a, self.b = nn.Conv2d(4, 1, 1), nn.Conv2d(4, 1, 1)

    def forward(self, img: Tensor, points: Tensor) -> dict[str, Tensor]:
        sampled = self.sample(self.first(self.img(img)), points)
        return {"a": self.a(sampled), "b": self.b(self.second(self.again(img)))}


def test_an_input_in_two_precisions_is_refused() -> None:
    network, _ = calibrated(TwoScales(), [QuantizationRule(match="again", bits=16)])
    with pytest.raises(RunError, match="reads the input `img` at another scale"):
        graph_of(network.eval())


def test_the_program_itself_gives_the_codes_of_evaluation() -> None:
    network, _ = calibrated(EveryOperation())
    img, points = random_inputs()
    program = export_program(network, network.eval(), {"img": img, "points": points})
    inputs = dict(zip(("img", "points"), random_inputs(3), strict=True))
    with torch.no_grad():
        found, expected = program.module()(**inputs), network(**inputs)
    assert all(torch.equal(found[name], expected[name]) for name in expected)
