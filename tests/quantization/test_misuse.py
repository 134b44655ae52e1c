"""What would silently compute something else is refused, with the name of the module or tensor."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from small_networks import EveryOperation, calibrated, converted, random_inputs
from torch import Tensor, nn

from runtime.errors import RunError
from runtime.models.blocks import Add, ConvBNAct, Input
from runtime.quantization.arithmetic.accumulator import AccumulatorOverflow
from runtime.quantization.calibration import (
    finish_observing,
    learn_scales,
    quantised,
    set_state,
    start_observing,
    state_of,
)
from runtime.quantization.config import QuantizationConfig, QuantizationRule
from runtime.quantization.convert import convert
from runtime.quantization.state import State


class Chain(nn.Module):
    """An input, two convolutions, and whatever `body` does with them."""

    def __init__(self, body: Callable[[Chain, Tensor], Tensor], **more: nn.Module) -> None:
        super().__init__()
        self.img = Input()
        self.first = ConvBNAct(in_channels=3, out_channels=4, batch_norm=False, activation=None)
        self.second = ConvBNAct(in_channels=4, out_channels=4, batch_norm=False)
        self.last = nn.Conv2d(4, 2, 1)
        for name, module in more.items():
            self.add_module(name, module)
        self.body = body

    def forward(self, img: Tensor) -> dict[str, Tensor]:
        return {"result": self.body(self, self.img(img))}


def _convert(network: nn.Module, *rules: QuantizationRule) -> None:
    image = torch.empty(1, 3, 8, 8, device="meta")
    convert(network.eval(), QuantizationConfig(rules=rules), lambda shadow: shadow(image))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            lambda net, x: net.last(net.second(net.second(net.first(x)))),
            "the module `second` is used twice, in `the model` and again in `the model`: one set of scales",
        ),
        (
            lambda net, x: net.last(net.first(x) * 2),
            "`torch.Tensor.mul` in `the model` computes on quantised tensors (`first`) outside",
        ),
        (
            lambda net, x: net.last(torch.relu(net.first(x))),
            "`torch.relu` in `the model` computes on quantised tensors (`first`) outside",
        ),
        (
            lambda net, x: net.last(torch.cat([net.first(x)[:, :2], net.second(net.first(x))[:, :2]], 1)),
            "the module `first` is used twice",
        ),
        (
            lambda net, x: net.last(torch.zeros(1, 4, 8, 8, device="meta")),
            "an input of `last` comes from no quantised module",
        ),
    ],
)
def test_a_graph_that_fixed_point_cannot_follow(
    body: Callable[[Chain, Tensor], Tensor], message: str
) -> None:
    with pytest.raises(RunError) as error:
        _convert(Chain(body))
    assert message in str(error.value)


def test_a_sum_of_two_tensors_outside_of_a_module() -> None:
    def body(net: Chain, x: Tensor) -> Tensor:
        first = net.first(x)
        return net.last(first + net.second(first))

    with pytest.raises(RunError) as error:
        _convert(Chain(body))
    assert "`torch.Tensor.add` in `the model` computes on quantised tensors (`first`, `second`)" in str(
        error.value
    )
    assert "hint: use a module of runtime.models.blocks, such as `Add` or `Concat`" in str(error.value)


def test_a_module_used_twice_names_both_uses() -> None:
    class Twice(nn.Module):
        def __init__(self, shared: nn.Module) -> None:
            super().__init__()
            self.shared = shared

        def forward(self, x: Tensor) -> Tensor:
            return self.shared(x)

    shared = ConvBNAct(in_channels=3, out_channels=3, batch_norm=False)
    network = Chain(
        lambda net, x: net.last(net.first(net.two(net.one(x)))), one=Twice(shared), two=Twice(shared)
    )
    with pytest.raises(RunError, match=r"the module `two\.shared` is also `one\.shared`: one set of scales"):
        _convert(network)


def test_a_result_that_feeds_the_network() -> None:
    class Leaks(Chain):
        def forward(self, img: Tensor) -> dict[str, Tensor]:
            first = self.first(self.img(img))
            return {"features": first, "result": self.last(self.second(first))}

    with pytest.raises(
        RunError, match="the output `features` is the tensor `first`, which `second` reads as well"
    ):
        _convert(Leaks(lambda net, x: x))


def test_normalisation_must_be_folded() -> None:
    network = Chain(lambda net, x: net.last(net.first(x)))
    network.first = ConvBNAct(in_channels=3, out_channels=4)
    with pytest.raises(RunError, match="the normalisation of `first` is not folded"):
        _convert(network)
    loose = Chain(lambda net, x: net.last(net.bn(net.first(x))), bn=nn.BatchNorm2d(4))
    with pytest.raises(RunError, match="`bn` is a normalisation that no convolution took up"):
        _convert(loose)


def test_converting_twice() -> None:
    network = Chain(lambda net, x: net.last(net.first(x)))
    _convert(network)
    with pytest.raises(RunError, match="quantised already"):
        _convert(network)


def test_evaluating_before_calibration() -> None:
    network, _ = converted(EveryOperation())
    with pytest.raises(RunError, match="never calibrated"), quantised(network):
        pass


def test_a_part_that_no_batch_reached() -> None:
    network, _graph = converted(EveryOperation())
    start_observing(network)
    with pytest.raises(RunError, match="the tensor `stem` was never observed"):
        finish_observing(network)


@pytest.mark.parametrize("state", [State.OBSERVE, State.QUANTISE])
def test_training_in_a_state_in_which_nothing_learns(state: State) -> None:
    network, _ = calibrated(EveryOperation())
    set_state(network, state)
    network.train()
    with pytest.raises(RunError, match=f"is trained in the state `{state.value}`, in which nothing learns"):
        network(*random_inputs())


def test_real_numbers_among_codes() -> None:
    _network, graph = calibrated(EveryOperation())
    quant = graph.modules["stem"].quant
    assert quant is not None
    with pytest.raises(RunError, match="real numbers reached the quantiser of `stem`"):
        quant(torch.zeros(1))


def test_an_accumulator_that_would_overflow() -> None:
    """int16 input and 3 x 3 x 1024 weights of 127: 4.9e9 is more than int32 holds."""
    network = Chain(lambda net, x: net.last(net.second(net.first(x))))
    network.first = ConvBNAct(in_channels=3, out_channels=1024, batch_norm=False, activation=None)
    network.second = ConvBNAct(in_channels=1024, out_channels=4, kernel_size=3, batch_norm=False)
    nn.init.ones_(network.second.conv.weight)
    _convert(network, QuantizationRule(match="first", bits=16))
    start_observing(network)
    with torch.no_grad():
        network(torch.randn(1, 3, 8, 8))
    with pytest.raises(AccumulatorOverflow, match=r"the accumulator of `second` can reach \d+ in channel"):
        finish_observing(network)
    del network


def test_the_same_layer_with_int8_input_does_not() -> None:
    network = Chain(lambda net, x: net.last(net.second(net.first(x))))
    network.first = ConvBNAct(in_channels=3, out_channels=1024, batch_norm=False, activation=None)
    network.second = ConvBNAct(in_channels=1024, out_channels=4, kernel_size=3, batch_norm=False)
    nn.init.ones_(network.second.conv.weight)
    _convert(network)
    start_observing(network)
    with torch.no_grad():
        network(torch.randn(1, 3, 8, 8))
    finish_observing(network)
    assert state_of(network) is State.QUANTISE


def test_a_sum_is_fused_only_with_what_it_alone_reads_as_it_was_made() -> None:
    def alone(net: Chain, x: Tensor) -> Tensor:
        x = net.second(net.first(x))
        return net.last(net.add(net.third(x), x))

    def pooled(net: Chain, x: Tensor) -> Tensor:
        x = net.second(net.first(x))
        return net.last(net.add(net.pool(net.third(x)), x))

    def third() -> ConvBNAct:
        return ConvBNAct(in_channels=4, out_channels=4, batch_norm=False, activation=None)

    fused = Chain(alone, third=third(), add=Add())
    _convert(fused)
    assert fused.add.accumulating is fused.third
    apart = Chain(pooled, third=third(), add=Add(), pool=nn.MaxPool2d(3, stride=1, padding=1))
    _convert(apart)
    assert apart.add.accumulating is None


def test_learning_scales_needs_a_converted_model() -> None:
    with pytest.raises(ValueError, match="is a float model: convert it first"):
        learn_scales(EveryOperation(), "lsq")


def test_a_checkpoint_of_other_rules_is_refused() -> None:
    network, _ = calibrated(EveryOperation())
    other, _ = converted(EveryOperation(), [QuantizationRule(match="stem", bits=16)])
    with pytest.raises(
        RunError, match=r"`stem` was calibrated as int8 at the scale .*, and the rules say int16"
    ):
        other.load_state_dict(network.state_dict())
    fixed, _ = converted(EveryOperation(), [QuantizationRule(match="img", scale=0.5)])
    with pytest.raises(
        RunError, match=r"`img` was calibrated as int8 at the scale 0\.0078125, and the rules say int8 at"
    ):
        fixed.load_state_dict(network.state_dict())


def test_integers_of_other_weights_are_not_used() -> None:
    network, _ = calibrated(EveryOperation())
    other, _ = calibrated(EveryOperation())
    network.load_state_dict(other.state_dict())
    with pytest.raises(RunError, match="has no fixed-point numbers for its weights and scales"):
        network(*random_inputs())
    set_state(network, State.QUANTISE)
    inputs = random_inputs()
    with torch.no_grad():
        first, second = network(*inputs), other(*inputs)
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_a_failed_conversion_cannot_be_gone_on_with() -> None:
    network = Chain(lambda net, x: net.last(net.first(x)))
    with pytest.raises(RunError, match="matches no tensor"):
        _convert(network, QuantizationRule(match="nothing", bits=16))
    with pytest.raises(RunError, match="quantised already, or a conversion of it has failed"):
        _convert(network)


def test_a_parameter_among_the_inputs_of_a_sum() -> None:
    class Positions(Chain):
        def __init__(self) -> None:
            super().__init__(lambda net, x: net.last(net.add(net.first(x), net.position)), add=Add())
            self.position = nn.Parameter(torch.zeros(1, 4, 8, 8))

    with pytest.raises(RunError, match="an input of `add` comes from no quantised module"):
        _convert(Positions())


def test_pools_that_only_move_codes_may_be_shared() -> None:
    pool = nn.MaxPool2d(3, stride=1, padding=1)
    network = Chain(lambda net, x: net.last(net.two(net.second(net.one(net.first(x))))), one=pool, two=pool)
    _convert(network)


def test_an_average_of_another_number_of_pixels() -> None:
    network, _ = calibrated(EveryOperation())
    with pytest.raises(
        RunError, match=r"`bins` divides by the pixels of maps of \(6, 10\), and was given one of"
    ):
        network.bins(torch.zeros(1, 8, 12, 20))


def test_an_exception_leaves_the_state() -> None:
    network, graph = calibrated(EveryOperation())
    set_state(network, State.QUANTISE_AND_OBSERVE)
    graph.modules["map"].layer.weight.data.fill_(float("nan"))
    with pytest.raises(RunError, match="weights that are not finite"), quantised(network):
        pass
    assert {module.state for module in graph.ordered_modules()} == {State.QUANTISE_AND_OBSERVE}
