"""Raising a tensor gives the model that a calibration with 16 bits gives."""

import pytest
import torch
from labelled_network import labelled_batches, labelled_task
from torch import nn

from runtime.errors import RunError
from runtime.models.blocks import ConvBNAct, Input
from runtime.quantization.analysis.raising import Raising, bits_restored, raised_scale
from runtime.quantization.calibration import finish_observing, set_state, start_observing
from runtime.quantization.config import ObserverName, QuantizationConfig, QuantizationRule
from runtime.quantization.convert import convert
from runtime.quantization.fake_quant import FakeQuant
from runtime.quantization.observers import make_observer
from runtime.quantization.state import State


@pytest.mark.parametrize("bits", [1, 15])
@pytest.mark.parametrize("name", ["stem", "add", "sample"])
def test_as_if_calibrated_with_the_rule(name: str, bits: int) -> None:
    batches = labelled_batches()
    task = labelled_task(batches, multiplier_bits=bits)
    Raising(task.graph).raise_tensor(task.graph.quantisers()[name], 1.0)
    anew = labelled_task(batches, QuantizationRule(match=name, bits=16), multiplier_bits=bits)
    for batch in batches:
        raised, expected = task.run(batch), anew.run(batch)
        assert raised[0] == expected[0]
        assert all(torch.equal(raised[1][key], expected[1][key]) for key in expected[1])
    before = labelled_task(batches, multiplier_bits=bits)
    assert not torch.equal(raised[1]["near"], before.run(batches[-1])[1]["near"])


@pytest.mark.parametrize("observer", ["min_max", "moving_average", "percentile", "mse", "kl"])
def test_scale_of_each_observer(observer: ObserverName) -> None:
    values = torch.randn(20_000, generator=torch.Generator().manual_seed(2))
    quant = FakeQuant("x")
    quant.observer = make_observer(observer, bits=8)
    wide = make_observer(observer, bits=16)
    for part in values.split(5000):
        quant.observer.observe(part)
        wide.observe(part)
    before = quant.observer.scale()
    assert raised_scale(quant, 0.0) == wide.scale()
    assert quant.observer.scale() == before


def test_without_an_observer_nothing_is_cut_off() -> None:
    quant = FakeQuant("x")
    assert raised_scale(quant, 3.0) == 3.0 / 32767
    quant.unit = 1.0
    assert raised_scale(quant, 3.0) == 2.0**-13


class Crowded(nn.Module):
    """576 weights of 127 a result: an accumulator of int32 holds them for int8 alone."""

    def __init__(self) -> None:
        super().__init__()
        self.img = Input()
        self.wide = ConvBNAct(in_channels=3, out_channels=64, batch_norm=False)
        self.head = nn.Conv2d(64, 1, 3, padding=1)
        nn.init.ones_(self.head.weight)

    def forward(self, img: torch.Tensor) -> torch.Tensor:
        return self.head(self.wide(self.img(img)))


def test_refused_by_the_arithmetic_and_left_as_it_was() -> None:
    torch.manual_seed(0)
    model = Crowded().eval()
    graph = convert(
        model, QuantizationConfig(), lambda shadow: {"head": shadow(torch.empty(1, 3, 6, 6, device="meta"))}
    )
    image = torch.rand(2, 3, 6, 6)
    start_observing(model)
    with torch.no_grad():
        model(image)
        finish_observing(model)
        expected = model(image)
        quant = graph.quantisers()["wide"]
        scale = float(quant.scale)
        with pytest.raises(RunError, match="the accumulator of `head` can reach"):
            Raising(graph).raise_tensor(quant, 1.0)
        assert (quant.bits, float(quant.scale)) == (8, scale)
        assert torch.equal(model(image), expected)


def test_bits_are_restored() -> None:
    batches = labelled_batches()
    task = labelled_task(batches)
    expected = task.run(batches[0])[0]
    with bits_restored(task.graph):
        for name in ("stem", "add"):
            Raising(task.graph).raise_tensor(task.graph.quantisers()[name], 1.0)
        assert task.run(batches[0])[0] != expected
    set_state(task.model, State.QUANTISE)
    assert task.run(batches[0])[0] == expected
