"""A network calibrated for a chip that only shifts: its checker lets every node through, its compiler too."""

from __future__ import annotations

import pytest
import torch
from small_networks import with_statistics
from torch import Tensor, nn

from runtime.bpu.checker.check import check_graph
from runtime.bpu.compiler import compile_graph
from runtime.bpu.march import load_march
from runtime.bpu.simulator.simulator import Simulator
from runtime.hbir.codes import decode, encode
from runtime.hbir.export.from_program import graph_of_program
from runtime.hbir.graph import Graph
from runtime.models.blocks import Add, BinAvgPool, Concat, ConvBNAct, Input, Resize
from runtime.quantization.calibration import finish_observing, start_observing
from runtime.quantization.config import QuantizationConfig, QuantizationRule
from runtime.quantization.convert import convert
from runtime.quantization.export_program import export_program, module_aliases
from runtime.quantization.fold_bn import fold_batch_norm

MARCH = load_march("bernoulli2")


class Pyramid(nn.Module):
    """Every sum, mean and change of scale that the chip has a unit for, of images (B, 3, 16, 24)."""

    def __init__(self) -> None:
        super().__init__()
        self.img = Input()
        self.stem = ConvBNAct(in_channels=3, out_channels=8, kernel_size=3, stride=2)
        self.project = ConvBNAct(in_channels=8, out_channels=8, activation=None)
        self.residual = Add()
        self.pool = BinAvgPool(bins=3)
        self.pooled = ConvBNAct(in_channels=8, out_channels=8)
        self.up = Resize(mode="bilinear")
        self.sum = Add(activation="relu")
        self.other = ConvBNAct(in_channels=8, out_channels=4, kernel_size=3)
        self.concat = Concat()
        self.last = nn.Conv2d(12, 4, 1)

    def forward(self, img: Tensor) -> dict[str, Tensor]:
        x = self.stem(self.img(img))
        x = self.residual(self.project(x), x)
        pooled = self.up(self.pooled(self.pool(x)), (x.shape[-2], x.shape[-1]))
        other = self.other(x)
        return {"y": self.last(self.concat(self.sum(x, pooled), other))}


def images() -> Tensor:
    return torch.randint(-128, 128, (2, 3, 16, 24)) / 128


def calibrated_graph(bits: int) -> tuple[nn.Module, Graph]:
    network = fold_batch_norm(with_statistics(Pyramid()))
    config = QuantizationConfig(
        rules=[QuantizationRule(match="img", bits=8, scale=1 / 128)], multiplier_bits=bits
    )
    convert(network, config, lambda shadow: shadow(images()[:1].to("meta")))
    start_observing(network)
    with torch.no_grad():
        network(images())
    finish_observing(network)
    program = export_program(network.eval(), network, {"img": images()})
    return network, graph_of_program(program, aliases=module_aliases(network))


def test_a_network_of_shifts_is_checked_compiled_and_run() -> None:
    network, graph = calibrated_graph(1)
    assert check_graph(graph, MARCH).fits
    img = images()[:1]
    found = Simulator(compile_graph(graph, MARCH))(encode(graph, {"img": img}))
    with torch.no_grad():
        assert torch.equal(decode(graph, found)["y"], network(img)["y"])


@pytest.mark.parametrize("bits", [2, 15])
def test_the_same_network_with_more_bits_does_not_fit(bits: int) -> None:
    _, graph = calibrated_graph(bits)
    report = check_graph(graph, MARCH)
    assert {remark.rule for remark in report.remarks if remark.finding.level == "cpu"} == {
        "multiplier_has_few_enough_bits"
    }
    assert not report.fits
