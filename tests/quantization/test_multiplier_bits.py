"""Multipliers of few bits: scales on a grid, weights that take up the rest, codes of the same arithmetic."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
import torch
from small_networks import EveryOperation, EveryShift, calibrated, converted, random_inputs
from test_fixed_point import mismatches

from runtime.errors import RunError
from runtime.quantization.calibration import finish_observing, learn_scales, set_state, start_observing
from runtime.quantization.config import QuantizationConfig, QuantizationRule
from runtime.quantization.modules.conv import WeightedModule
from runtime.quantization.state import State
from runtime.quantization.weight_scales import neighbour_scales, weight_scales

SHIFTS: dict[str, Any] = {"multiplier_bits": 1}


@pytest.mark.parametrize("bits", [1, 2, 7, 8, 14])
def test_every_operation_gives_the_codes_of_its_reference(bits: int) -> None:
    network, graph = calibrated(EveryShift(), multiplier_bits=bits)
    counts = mismatches(network, graph, *random_inputs())
    assert len(counts) == len(graph.operations) > 20
    assert sum(counts.values()) == 0, counts


def test_scales_are_powers_of_two_but_for_means() -> None:
    _, graph = calibrated(EveryShift(), **SHIFTS)
    odd = {name for name, quant in graph.quantisers().items() if math.frexp(quant.value())[0] != 0.5}
    assert odd == {"bins.0", "mean", "squeeze.pool"} & odd and "bins.0" in odd
    mean = graph.quantisers()["bins.0"].value() * 15
    assert math.frexp(mean)[0] in (0.5, pytest.approx(1.0))


def test_all_scales_are_free_with_8_bits() -> None:
    _, graph = calibrated(EveryShift(), multiplier_bits=8)
    _, usual = calibrated(EveryShift())
    assert all(quant.unit is None for quant in graph.quantisers().values())
    assert usual.config.multiplier_bits == 15


@pytest.mark.parametrize("learning", ["lsq", "moving_average", "frozen"])
def test_training_rounds_as_evaluation_does(learning: str) -> None:
    """Scales that training has moved are still on the grid, of weights as of activations."""
    network, graph = calibrated(EveryShift(), **SHIFTS)
    learn_scales(network, learning)  # type: ignore[arg-type]
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("gain") and parameter.requires_grad:
                parameter.uniform_(-0.5, 0.7)
    network.eval()
    weighted = [module for module in graph.ordered_modules() if isinstance(module, WeightedModule)]
    with torch.no_grad():
        steps = {name: float(quant.step()) for name, quant in graph.quantisers().items()}
        trained = {module: module.real_weight().flatten(1) for module in weighted}
    set_state(network, State.QUANTISE)
    assert steps == pytest.approx({name: quant.value() for name, quant in graph.quantisers().items()})
    for module in weighted:
        assert module.codes is not None
        codes = torch.from_numpy(module.codes.weight).flatten(1)
        evaluated = (codes * torch.from_numpy(module.codes.scale)[:, None]).float()
        torch.testing.assert_close(trained[module], evaluated, msg=module.name)
    assert sum(mismatches(network, graph, *random_inputs()).values()) == 0


def test_gains_of_scales_on_a_grid_learn() -> None:
    network, _ = calibrated(EveryShift(), **SHIFTS)
    learn_scales(network, "lsq")
    network.train()
    sum(value.square().sum() for value in network(*random_inputs()).values()).backward()
    gains = [
        parameter.grad
        for name, parameter in network.named_parameters()
        if name.endswith("gain") and parameter.requires_grad
    ]
    assert all(grad is not None and torch.isfinite(grad).all() for grad in gains)
    assert sum(bool(grad.any()) for grad in gains if grad is not None) > 30


def test_weights_choose_the_neighbour_of_less_error() -> None:
    _, graph = calibrated(EveryShift(), **SHIFTS)
    for module in graph.ordered_modules():
        if not isinstance(module, WeightedModule) or module.codes is None or module.codes.multiplier is None:
            continue
        weight = module.layer.weight.detach().double().flatten(1)
        chosen = torch.from_numpy(module.codes.scale)

        def error(scale: torch.Tensor, weight: torch.Tensor = weight) -> torch.Tensor:
            codes = (weight / scale[:, None]).round().clamp(-127, 127)
            return (codes * scale[:, None] - weight).square().sum(1)

        assert (error(chosen) <= error(chosen * 2) * (1 + 1e-9)).all(), module.name
        assert (error(chosen) <= error(chosen / 2) * (1 + 1e-9)).all(), module.name


def test_neighbours_of_weight_scales() -> None:
    weight = torch.randn(6, 40, generator=torch.Generator().manual_seed(1))
    unit = torch.tensor(0.3)
    scales = weight_scales(weight, method="max")
    found = neighbour_scales(weight, scales, unit=unit, bits=3) / unit.double()
    mantissas = torch.frexp(found).mantissa * 8
    assert torch.allclose(mantissas, mantissas.round(), atol=1e-6)
    assert ((found * unit / scales) < 1.26).all() and ((found * unit / scales) > 0.79).all()
    # What is on the grid stays.
    again = neighbour_scales(weight, torch.full((6,), 0.15625), unit=torch.tensor(0.25), bits=3)
    assert (again == 0.15625).all()


@pytest.mark.parametrize("observer", ["mse", "percentile", "kl", "min_max", "moving_average"])
def test_observers_choose_a_neighbour(observer: str) -> None:
    _, graph = calibrated(EveryShift(), observer=observer, **SHIFTS)
    for name, quant in graph.quantisers().items():
        if quant.unit is None:
            continue
        assert quant.observer is not None
        ratio = quant.value() / quant.observer.scale()
        assert 0.5 < ratio < 2, name
        if observer in ("min_max", "moving_average"):
            assert ratio >= 1, name


def test_a_tensor_of_zeros_has_a_scale() -> None:
    network, graph = converted(EveryShift(), **SHIFTS)
    start_observing(network)
    img, points = random_inputs()
    with torch.no_grad():
        for parameter in network.stem.parameters():
            parameter.zero_()
        network(img, points)
    finish_observing(network)
    assert sum(mismatches(network, graph, img, points).values()) == 0


def test_a_mean_without_a_convolution_is_refused() -> None:
    message = "`concat` rescales by a factor that multipliers of 1 significant bits miss by 6%"
    with pytest.raises(RunError, match=re.escape(message)):
        calibrated(EveryOperation(), **SHIFTS)


def test_a_fixed_scale_goes_through_convolutions_only() -> None:
    calibrated(EveryShift(), [QuantizationRule(match="img", scale=0.01)], **SHIFTS)
    rules = [QuantizationRule(match="stem", scale=0.03), QuantizationRule(match="residual", scale=0.02)]
    with pytest.raises(RunError, match=r"`residual` rescales .* of 1 significant bits miss by 33%"):
        calibrated(EveryShift(), rules, **SHIFTS)


def test_a_checkpoint_of_another_chip_is_refused() -> None:
    network, _ = calibrated(EveryShift())
    other, _ = converted(EveryShift(), **SHIFTS)
    with pytest.raises(RunError, match="with multipliers of another number of bits"):
        other.load_state_dict(network.state_dict())
    set_state(network, State.FLOAT)
    few, _ = calibrated(EveryShift(), **SHIFTS)
    other.load_state_dict(few.state_dict())
    set_state(other, State.QUANTISE)
    inputs = random_inputs()
    with torch.no_grad():
        first, second = few(*inputs), other(*inputs)
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("bits", [0, 16])
def test_no_other_number_of_bits(bits: int) -> None:
    with pytest.raises(ValueError, match=f"multipliers of {bits} bits, expected 1 to 15"):
        QuantizationConfig(multiplier_bits=bits)
