"""AdaRound lowers what rounding costs the layers, and never leaves a layer worse than nearest rounding."""

from __future__ import annotations

import copy
import re

import pytest
import torch
from chain_network import ChainNetwork, calibrate, converted, images, layer_of, replay_of, results, sqnr
from small_networks import EveryOperation, random_inputs
from small_networks import calibrated as calibrated_every_operation
from torch import Tensor, nn

from runtime.quantization.calibration import set_state, state_of
from runtime.quantization.config import AdaRound, QuantizationRule
from runtime.quantization.graph import QuantizedGraph
from runtime.quantization.refinement import adaround as adaround_module
from runtime.quantization.refinement.adaround import adaround
from runtime.quantization.refinement.layer_replay import weighted_layers
from runtime.quantization.refinement.learned_rounding import RoundingProblem, nearest
from runtime.quantization.state import State

FEW = AdaRound(num_steps=200, lr=0.02)
WIDE = tuple(QuantizationRule(op=op, bits=16) for op in ("conv", "output"))


def calibrated_chain(*rules: QuantizationRule) -> tuple[nn.Module, QuantizedGraph]:
    network, graph = converted(ChainNetwork(), rules)
    calibrate(network, images(8))
    return network, graph


def test_lowers_the_error_of_the_results() -> None:
    # Tensors of 16 bits, so that what is left is the weights' rounding.
    network, _ = calibrated_chain(*WIDE)
    others = images(seed=1)
    real = results(network, State.FLOAT, others)
    before = sqnr(real, results(network, State.QUANTISE, others))
    lines = adaround(network, FEW, replay_of(network, images(8)))
    assert state_of(network) is State.QUANTISE
    assert sqnr(real, results(network, State.QUANTISE, others)) > before + 1
    assert [re.match("`(.*)`", line)[1] for line in lines] == [  # type: ignore[index]
        layer.name for layer in weighted_layers(network)
    ]
    assert sum(float(line.split(": ")[1].split()[0]) for line in lines) / len(lines) < 0.85


def test_codes_are_the_learned_ones_also_after_snapping(monkeypatch: pytest.MonkeyPatch) -> None:
    network, _ = calibrated_chain()
    before = {layer.name: layer.weight_codes.clone() for layer in weighted_layers(network)}
    learned: list[Tensor] = []
    learn = adaround_module.learn_rounding

    def remember(problem: RoundingProblem, settings: AdaRound) -> Tensor:
        learned.append(learn(problem, settings))
        return learned[-1]

    monkeypatch.setattr(adaround_module, "learn_rounding", remember)
    adaround(network, FEW, replay_of(network, images(8)))
    set_state(network, State.FLOAT)
    set_state(network, State.QUANTISE)
    changed = 0
    for layer, codes in zip(weighted_layers(network), learned, strict=True):
        now, was = layer.weight_codes.flatten(1), before[layer.name].flatten(1)
        codes = codes.flatten(0, 1)
        for channel in range(len(now)):
            assert torch.equal(now[channel], codes[channel]) or torch.equal(now[channel], was[channel])
        assert (now - was).abs().max() <= 1
        changed += int((now != was).any(dim=1).sum())
    assert changed > 10


def test_channels_that_learn_nothing_good_keep_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    network, _ = calibrated_chain()
    before = copy.deepcopy(network.state_dict())

    def learn_worse(problem: RoundingProblem, settings: AdaRound) -> Tensor:
        return nearest(problem.weight) - 3

    monkeypatch.setattr(adaround_module, "learn_rounding", learn_worse)
    lines = adaround(network, FEW, replay_of(network, images(8)))
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert (
        lines[1] == "`expand`: 1.000 of the squared error of nearest rounding, which 24 of 24 channels keep"
    )


def test_no_steps_change_nothing() -> None:
    network, _ = calibrated_chain()
    before = copy.deepcopy(network.state_dict())
    adaround(network, AdaRound(num_steps=0), replay_of(network, images(8)))
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_layers_in_float_keep_their_weights() -> None:
    network, graph = calibrated_chain(QuantizationRule(match="project", keep_float=True))
    before = layer_of(graph, "project").layer.weight.detach().clone()
    lines = adaround(network, FEW, replay_of(network, images(8)))
    assert torch.equal(layer_of(graph, "project").layer.weight, before)
    assert not any(line.startswith("`project`") for line in lines)


def test_every_operation() -> None:
    """Accumulators that a sum rounds, linear layers, results of the network, layers of one level."""
    network, _ = calibrated_every_operation(EveryOperation())
    batches = [random_inputs() for _ in range(4)]

    @torch.no_grad()
    def replay() -> None:
        for batch in batches:
            network(*batch)

    lines = adaround(network, AdaRound(num_steps=30, lr=0.1), replay)
    assert len(lines) == len(weighted_layers(network))
    assert any(not line.split(": ")[1].startswith("1.000") for line in lines)


def test_passes_end_when_all_layers_have_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    network, _ = calibrated_chain()
    # Four images of 6 x 8 pixels a batch: two batches are enough.
    monkeypatch.setattr(adaround_module, "_ROWS", 300)
    shown: list[int] = []

    @torch.no_grad()
    def replay() -> None:
        for number, img in enumerate(images(8)):
            shown.append(number)
            network(img)

    adaround(network, AdaRound(num_steps=1), replay)
    assert set(shown) == {0, 1}


def test_the_same_batches_give_the_same_rounding() -> None:
    network, _ = calibrated_chain()
    other = copy.deepcopy(network)
    adaround(network, AdaRound(num_steps=50), replay_of(network, images(8)))
    adaround(other, AdaRound(num_steps=50), replay_of(other, images(8)))
    for name, value in network.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
