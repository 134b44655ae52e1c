"""What layers read during a replay, and that nothing else is computed where only that is asked for."""

from __future__ import annotations

import pytest
import torch
from small_networks import EveryOperation, calibrated, random_inputs
from torch import Tensor, nn

from runtime.quantization.calibration import set_state
from runtime.quantization.graph import QuantizedGraph
from runtime.quantization.modules.conv import WeightedModule
from runtime.quantization.refinement.layer_replay import only_before, products, watching, weighted_layers
from runtime.quantization.state import State


@pytest.fixture(scope="module")
def every_operation() -> tuple[nn.Module, QuantizedGraph]:
    return calibrated(EveryOperation())


def seen(network: nn.Module, layers: list[WeightedModule], inputs: tuple[Tensor, ...]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    with torch.no_grad(), watching(layers, lambda layer, x: found.update({layer.name: x})):
        network(*inputs)
    return found


@pytest.mark.parametrize("state", [State.FLOAT, State.QUANTISE])
def test_only_before_gives_each_layer_the_same_input(
    every_operation: tuple[nn.Module, QuantizedGraph], state: State
) -> None:
    network, graph = every_operation
    set_state(network, state)
    inputs = random_inputs(3)
    layers = weighted_layers(network)
    expected = seen(network, layers, inputs)
    for layer in layers:
        with only_before(graph, [layer]):
            assert torch.equal(seen(network, [layer], inputs)[layer.name], expected[layer.name]), layer.name
    with torch.no_grad():
        again = network(*inputs)
    assert all(value.any() for value in again.values())


def test_only_before_computes_nothing_else(every_operation: tuple[nn.Module, QuantizedGraph]) -> None:
    network, graph = every_operation
    set_state(network, State.QUANTISE)
    layer = next(layer for layer in weighted_layers(network) if layer.name == "stem")
    with only_before(graph, [layer]), torch.no_grad():
        assert not any(value.any() for value in network(*random_inputs()).values())


def test_products_are_what_fixed_point_rounds(every_operation: tuple[nn.Module, QuantizedGraph]) -> None:
    network, graph = every_operation
    set_state(network, State.QUANTISE)
    inputs = random_inputs()
    name = graph.outputs["map"]
    layer = graph.modules[name]
    assert isinstance(layer, WeightedModule) and layer.codes is not None
    x = seen(network, [layer], inputs)[name]
    step = torch.from_numpy(layer.codes.scale * layer.sources[0].value())
    bias = torch.from_numpy(layer.codes.bias) * step
    with torch.no_grad():
        result = network(*inputs)["map"]
    torch.testing.assert_close(products(layer, x) + bias.float().view(-1, 1, 1), result, rtol=1e-5, atol=1e-5)
