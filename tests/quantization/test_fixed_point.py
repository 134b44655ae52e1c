"""Evaluation of a quantised model is the integer arithmetic: not one code beside the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from integer_reference import reference
from small_networks import EveryOperation, calibrated, converted, random_inputs
from torch import Tensor, nn

from runtime.errors import RunError
from runtime.models.blocks import ConvBNAct
from runtime.quantization.calibration import set_state, start_observing
from runtime.quantization.config import QuantizationRule
from runtime.quantization.graph import QuantizedGraph, graph_of
from runtime.quantization.state import State

ALL_OPS = {
    "input",
    "conv",
    "linear",
    "add",
    "concat",
    "resize",
    "grid_sample",
    "view_sum",
    "avg_pool",
    "lookup",
    "multiply",
}
INT16 = [
    QuantizationRule(op=op, bits=16)
    for op in ("conv", "add", "concat", "resize", "view_sum", "avg_pool", "lookup", "multiply", "grid_sample")
]


def mismatches(network: nn.Module, graph: QuantizedGraph, *inputs: Tensor) -> dict[str, int]:
    """Number of codes of each operation that differ from the reference on the very codes it was given."""
    found: dict[str, int] = {}
    handles = []
    for module in graph.ordered_modules():

        def compare(module: Any, args: tuple[Any, ...], output: Tensor) -> None:
            expected = reference(module, list(args))
            found[module.name] = int((output.double().numpy() != expected.astype(np.float64)).sum())

        handles.append(module.register_forward_hook(compare))
    with torch.no_grad():
        network(*inputs)
    for handle in handles:
        handle.remove()
    return found


@pytest.mark.parametrize("rules", [[], INT16], ids=["int8", "int16"])
def test_every_operation_gives_the_codes_of_its_reference(rules: list[QuantizationRule]) -> None:
    network, graph = calibrated(EveryOperation(), rules)
    assert {operation.op for operation in graph.operations} == ALL_OPS
    counts = mismatches(network, graph, *random_inputs())
    assert len(counts) == len(graph.operations) > 20
    assert sum(counts.values()) == 0, counts


def test_int16_rules_take_effect() -> None:
    _, graph = calibrated(EveryOperation(), INT16)
    bits = {name: quant.bits for name, quant in graph.quantisers().items() if not name.endswith("points")}
    assert bits.pop("img") == 8
    assert set(bits.values()) == {16}


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_scales_and_extreme_codes(data: st.DataObject) -> None:
    """Scales over ten octaves, weights and images at their bounds, bits drawn for each tensor."""
    torch.manual_seed(data.draw(st.integers(0, 2**31)))
    wide = data.draw(
        st.lists(st.sampled_from(["stem", "sum", "concat", "views", "deep*", "squeeze*"]), max_size=3)
    )
    network, graph = converted(EveryOperation(), [QuantizationRule(match=name, bits=16) for name in wide])
    for module in graph.ordered_modules():
        if hasattr(module, "choose_weight_scale"):
            if data.draw(st.booleans()):
                module.layer.weight.data.sign_()  # every product at its bound
            module.choose_weight_scale(data.draw(st.sampled_from(["max", "mse"])))
    for quant in graph.quantisers().values():
        if not quant.is_fixed:
            magnitude = 2.0 ** data.draw(st.floats(-5, 5))
            quant.scale.fill_(magnitude / quant.bounds[1])
    try:
        set_state(network, State.QUANTISE)
    except RunError as error:
        assert "rescales by a factor outside of the arithmetic" in str(error)
        reject()
    img, points = random_inputs(1)
    extreme = data.draw(st.sampled_from([None, -1.0, 127 / 128, 5.0]))
    if extreme is not None:
        img = torch.full_like(img, extreme)
    counts = mismatches(network, graph, img, points)
    assert sum(counts.values()) == 0, counts


def test_fixed_point_is_close_to_float() -> None:
    network, _graph = calibrated(EveryOperation())
    inputs = random_inputs()
    with torch.no_grad():
        fixed = network(*inputs)
        set_state(network, State.FLOAT)
        real = network(*inputs)
    for key, value in real.items():
        noise = (fixed[key] - value).square().mean()
        assert 10 * torch.log10(value.square().mean() / noise) > 20, key


def test_simulation_in_real_numbers_agrees_but_for_rare_ties() -> None:
    """The gradient path of QAT rounds the same values: codes differ by one step at most, and seldom."""
    network, _graph = calibrated(EveryOperation())
    inputs = random_inputs()
    with torch.no_grad():
        fixed = network(*inputs)
        set_state(network, State.SIMULATE)
        simulated = network(*inputs)
    for key, value in fixed.items():
        noise = (simulated[key] - value).square().mean()
        assert 10 * torch.log10(value.square().mean() / noise) > 30, key


def test_an_output_in_codes() -> None:
    network, graph = calibrated(EveryOperation(), [QuantizationRule(match="map", bits=8)])
    counts = mismatches(network, graph, *random_inputs())
    assert sum(counts.values()) == 0, counts
    with torch.no_grad():
        values = network(*random_inputs())["map"]
    quant = graph.modules["map"].quant
    assert quant is not None
    steps = values.double() / quant.value()
    assert torch.allclose(steps, steps.round(), atol=1e-4)
    assert steps.abs().max() <= 128


def test_the_same_after_a_checkpoint() -> None:
    network, _ = calibrated(EveryOperation())
    inputs = random_inputs()
    other, _ = converted(EveryOperation())
    other.load_state_dict(network.state_dict())
    set_state(other, State.QUANTISE)
    with torch.no_grad():
        first, second = network(*inputs), other(*inputs)
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_observing_again_forgets() -> None:
    network, graph = calibrated(EveryOperation())
    before = {name: quant.value() for name, quant in graph.quantisers().items()}
    start_observing(network)
    img, points = random_inputs()
    with torch.no_grad():
        network(img * 0.1, points)
    for quant in graph_of(network).quantisers().values():
        quant.take_scale()
    after = {name: quant.value() for name, quant in graph.quantisers().items()}
    assert after["stem"] < before["stem"]
    assert after["img"] == before["img"] == 1 / 128


@pytest.mark.parametrize("activation", ["relu", "relu6"])
def test_a_result_keeps_its_activation(activation: Any) -> None:
    """A bound of codes: such a result is rounded, not taken from the accumulator."""

    class Bounded(EveryOperation):
        def __init__(self) -> None:
            super().__init__()
            self.map = ConvBNAct(in_channels=4, out_channels=3, batch_norm=False, activation=activation)
            nn.init.normal_(self.map.conv.weight, std=20.0)

    network, graph = calibrated(Bounded())
    counts = mismatches(network, graph, *random_inputs())
    assert sum(counts.values()) == 0, counts
    with torch.no_grad():
        values = network(*random_inputs())["map"]
    assert values.min() == 0
    assert activation == "relu" or values.max() <= 6.05


def test_a_kept_float_result_is_the_same_in_training() -> None:
    network, graph = calibrated(EveryOperation(), [FLOAT_MAP])
    inputs = random_inputs()
    with torch.no_grad():
        fixed = network(*inputs)["map"]
        set_state(network, State.QUANTISE_AND_OBSERVE)
        trained = network(*inputs)["map"]
    scale = graph.modules["first"].quant.value()
    assert (fixed - trained).abs().max() < 4 * scale
    assert graph.modules["map"].quant is None


FLOAT_MAP = QuantizationRule(match="map", keep_float=True)
