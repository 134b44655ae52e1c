"""Equalisation keeps the float function, evens ranges out, and helps where channels were far apart."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
from chain_network import (
    ChainNetwork,
    calibrate,
    converted,
    images,
    layer_of,
    replay_of,
    results,
    sqnr,
    unevened,
)
from small_networks import EveryOperation
from small_networks import converted as every_operation_converted
from torch import Tensor, nn

from runtime.errors import RunError
from runtime.quantization.config import QuantizationConfig, QuantizationRule
from runtime.quantization.convert import convert_structure
from runtime.quantization.fold_bn import fold_batch_norm
from runtime.quantization.refinement.equalization import equalize
from runtime.quantization.state import State

CHAIN = "`stem`, `expand`, `depthwise`, `project`, `last`"


@pytest.fixture(params=["from weights", "observed"])
def observes(request: pytest.FixtureRequest) -> bool:
    return request.param == "observed"


def ranges(weight: Tensor, axis: int) -> Tensor:
    return weight.abs().transpose(0, axis).flatten(1).amax(1)


def test_float_function_stays(observes: bool) -> None:
    network, _ = converted(unevened(ChainNetwork()))
    before = results(network, State.FLOAT, images())
    lines = equalize(network, replay_of(network, images()) if observes else None)
    after = results(network, State.FLOAT, images())
    assert (after - before).abs().max() <= 1e-5 * before.abs().max()
    assert len(lines) == 1 and lines[0].startswith(f"equalised {CHAIN}: channel ranges up to 1:")


def test_float_function_of_a_whole_model_stays() -> None:
    parts = _model_parts()
    model = parts.build_model(
        **parts.TINY, width=0.25, depth=0.3, indexes=(-4, -1), neck_channels=16, bev_channels=16,
        head_channels=8, stack=1,
    )  # fmt: skip
    model.eval()
    _give_statistics(model)
    convert_structure(fold_batch_norm(model), QuantizationConfig(), image_size=(64, 160), num_views=6)
    batch = parts.build_batch(samples=1, input_hw=(64, 160), seg_hw=(32, 48), half=15.0)
    with torch.no_grad():
        inputs = model.deployed_inputs(batch)
        before = model.raw_outputs(*inputs)
        lines = equalize(model)
        after = model.raw_outputs(*inputs)
    assert len(lines) > 5
    for name, value in before.items():
        assert (after[name] - value).abs().max() <= 1e-5 * value.abs().max(), name


def _model_parts() -> Any:
    path = Path(__file__).parents[2] / "models" / "conftest.py"
    spec = importlib.util.spec_from_file_location("model_parts", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _give_statistics(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_var, 0.1, 4.0)
            nn.init.uniform_(module.weight, 0.2, 2.0)


def test_weights_on_both_sides_get_equal_ranges() -> None:
    network, graph = converted(unevened(ChainNetwork()))
    equalize(network)
    for first, second, axis in (
        ("stem", "expand", 1),
        ("expand", "depthwise", 0),
        ("depthwise", "project", 1),
        ("project", "last", 1),
    ):
        making = ranges(layer_of(graph, first).layer.weight, 0)
        reading = ranges(layer_of(graph, second).layer.weight, axis)
        ratio = making / reading
        torch.testing.assert_close(ratio, ratio.mean().expand_as(ratio), rtol=0.01, atol=0)


def test_observed_channels_before_a_depthwise_layer_get_equal_ranges() -> None:
    network, graph = converted(unevened(ChainNetwork()))
    with torch.no_grad():
        # All fire, none rarely.
        layer_of(graph, "expand").bias.copy_(ranges(layer_of(graph, "expand").layer.weight, 0))
    equalize(network, replay_of(network, images()))
    seen: list[Tensor] = []
    hook = layer_of(graph, "expand").register_forward_hook(lambda *args: seen.append(args[-1]))
    replay_of(network, images())()
    hook.remove()
    largest = torch.cat(seen).amax((0, 2, 3))
    torch.testing.assert_close(largest, largest.mean().expand_as(largest), rtol=0.01, atol=0)


def test_helps_where_channels_are_far_apart(observes: bool) -> None:
    network, _ = converted(unevened(ChainNetwork(), spread=50.0))
    real = results(network, State.FLOAT, images(seed=1))
    plain = copy.deepcopy(network)
    calibrate(plain, images())
    equalize(network, replay_of(network, images()) if observes else None)
    calibrate(network, images())
    before = sqnr(real, results(plain, State.QUANTISE, images(seed=1)))
    after = sqnr(real, results(network, State.QUANTISE, images(seed=1)))
    assert after > before + 6


def test_unused_channels_stay_finite(observes: bool) -> None:
    network, graph = converted(unevened(ChainNetwork()))
    with torch.no_grad():
        layer_of(graph, "expand").layer.weight[3] = 0
        layer_of(graph, "expand").bias[3] = 0
        layer_of(graph, "project").layer.weight[:, 5] = 0
    before = results(network, State.FLOAT, images())
    equalize(network, replay_of(network, images()) if observes else None)
    after = results(network, State.FLOAT, images())
    assert (after - before).abs().max() <= 1e-5 * before.abs().max()


def test_other_activations_other_readers_and_moved_maps_are_left_alone() -> None:
    network, _ = every_operation_converted(EveryOperation())
    before = copy.deepcopy(network.state_dict())
    # The gate's two convolutions are the only pair.
    assert [line.split(": ")[0] for line in equalize(network)] == [
        "equalised `squeeze.reduce`, `squeeze.expand`"
    ]
    after = network.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    pair = ("squeeze.reduce.layer.weight", "squeeze.reduce.layer.bias", "squeeze.expand.layer.weight")
    assert changed - {name for name in before if before[name].isnan().any()} == set(pair)


@pytest.mark.parametrize(
    ("network", "rules", "chains"),
    [
        (ChainNetwork("relu6"), (), ["`stem`, `expand`", "`depthwise`, `project`, `last`"]),
        (ChainNetwork("swish"), (), ["`stem`, `expand.body`", "`depthwise`, `project`, `last`"]),
        (
            ChainNetwork(),
            (QuantizationRule(match="expand", keep_float=True),),
            ["`depthwise`, `project`, `last`"],
        ),
        (
            ChainNetwork(),
            (QuantizationRule(match="expand", scale=0.1),),
            ["`stem`, `expand`", "`depthwise`, `project`, `last`"],
        ),
    ],
    ids=["relu6", "table", "float", "fixed scale"],
)
def test_where_a_chain_ends(
    network: ChainNetwork, rules: tuple[QuantizationRule, ...], chains: list[str]
) -> None:
    lines = equalize(converted(network, rules)[0])
    assert [line.split(": ")[0] for line in lines] == [f"equalised {chain}" for chain in chains]


def test_refuses_scales_that_were_found() -> None:
    network, _ = converted(ChainNetwork())
    calibrate(network, images())
    with pytest.raises(RunError, match="equalisation in the state `quantise`: scales that were found would"):
        equalize(network)
