"""Bias correction takes the mean error of layers out, and raises the results' fidelity."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from chain_network import ChainNetwork, calibrate, converted, images, layer_of, replay_of, results, sqnr
from torch import Tensor, nn

from runtime.quantization.calibration import set_state, state_of
from runtime.quantization.config import QuantizationRule
from runtime.quantization.graph import QuantizedGraph
from runtime.quantization.refinement.bias_correction import correct_biases
from runtime.quantization.refinement.layer_replay import FloatWeights, products, watching, weighted_layers
from runtime.quantization.state import State


def rounded_down(network: ChainNetwork) -> ChainNetwork:
    """With weights that rounding to 127 levels makes smaller, nearly all of them: mean errors arise."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            with torch.no_grad():
                weight = module.weight.flatten(1)
                step = weight.abs().amax(1, keepdim=True) / 127
                largest = weight.abs() >= 126.9 * step
                lower = (torch.floor(weight / step) + 0.45) * step
                weight.copy_(torch.where(largest, weight, lower))
    return network


def calibrated_chain(*rules: QuantizationRule) -> tuple[nn.Module, QuantizedGraph]:
    network, graph = converted(rounded_down(ChainNetwork()), rules, weight_scale="max")
    calibrate(network, images())
    return network, graph


def mean_errors(network: nn.Module, real: nn.Module) -> dict[str, Tensor]:
    """(O,) by layer: mean before the activation in fixed point, less that of the float network `real`."""
    sums: dict[str, Tensor] = {}
    for model, state, sign in ((real, State.FLOAT, -1), (network, State.QUANTISE, 1)):
        set_state(model, state)

        def look(layer, x, sign=sign):  # type: ignore[no-untyped-def]
            mean = products(layer, x).double().mean((0, 2, 3)) + layer.bias.double()
            sums[layer.name] = sums.get(layer.name, 0) + sign * mean / len(images())

        with watching(weighted_layers(model), look):
            replay_of(model, images())()
    return sums


def test_mean_errors_go() -> None:
    network, _ = calibrated_chain()
    real = copy.deepcopy(network)
    before = mean_errors(network, real)
    correct_biases(network, replay_of(network, images()))
    after = mean_errors(network, real)
    for name in before:
        assert before[name].abs().mean() > 1e-4, name
        assert after[name].abs().mean() < 0.1 * before[name].abs().mean(), name


def test_raises_the_fidelity_on_other_images() -> None:
    network, _ = calibrated_chain()
    others = images(seed=1)
    real = results(network, State.FLOAT, others)
    before = sqnr(real, results(network, State.QUANTISE, others))
    correct_biases(network, replay_of(network, images()))
    assert sqnr(real, results(network, State.QUANTISE, others)) > before + 2


def test_ends_snapped_with_the_same_weights() -> None:
    network, _ = calibrated_chain()
    before = {layer.name: layer.weight_codes.clone() for layer in weighted_layers(network)}
    lines = correct_biases(network, replay_of(network, images()))
    assert state_of(network) is State.QUANTISE
    assert len(lines) == 1 and lines[0].startswith("biases of 5 layers corrected, by up to ")
    for layer in weighted_layers(network):
        assert torch.equal(layer.weight_codes, before[layer.name])
        assert layer.codes is not None
        step = layer.codes.scale * layer.sources[0].value()
        assert np.array_equal(layer.codes.bias, np.floor(layer.bias.double().detach().numpy() / step + 0.5))
        assert np.array_equal(layer.codes.bias, layer.bias_codes.numpy())


def test_layers_in_float_keep_their_bias() -> None:
    network, graph = calibrated_chain(QuantizationRule(match="project", keep_float=True))
    before = layer_of(graph, "project").bias.clone()
    correct_biases(network, replay_of(network, images()))
    assert torch.equal(layer_of(graph, "project").bias, before)


def test_reference_is_what_is_compared_with() -> None:
    network, graph = calibrated_chain()
    reference = FloatWeights(network)
    other, _ = copy.deepcopy((network, graph))
    correct_biases(other, replay_of(other, images()))
    # Multiples of the scales, as AdaRound leaves them: without the reference there would be no error to see.
    for layer in weighted_layers(network):
        with torch.no_grad():
            layer.layer.weight.copy_(
                layer.weight_codes * torch.from_numpy(layer.codes.scale).view(-1, 1, 1, 1)
            )
    set_state(network, State.QUANTISE)
    correct_biases(network, replay_of(network, images()), reference)
    for mine, its in zip(weighted_layers(network), weighted_layers(other), strict=True):
        torch.testing.assert_close(mine.bias, its.bias, rtol=1e-4, atol=1e-5)


def test_reference_gives_the_weights_back() -> None:
    network, graph = calibrated_chain()
    reference = FloatWeights(network)
    layer = layer_of(graph, "expand").layer
    kept = layer.weight.detach().clone()
    with torch.no_grad():
        layer.weight.mul_(2)
    with pytest.raises(RuntimeError, match="inside"), reference.in_place():
        assert state_of(network) is State.FLOAT
        assert torch.equal(layer.weight, kept)
        raise RuntimeError("inside")
    assert torch.equal(layer.weight, 2 * kept)


def test_other_batches_are_refused() -> None:
    network, _ = calibrated_chain()
    calls: list[int] = []

    def replay() -> None:
        calls.append(0)
        replay_of(network, images(len(calls)))()

    with pytest.raises(ValueError, match="`stem` got more batches than the first time"):
        correct_biases(network, replay)
