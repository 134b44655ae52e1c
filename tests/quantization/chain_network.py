"""Convolutions in a row, as in MobileNet: expand, depthwise, project, and a result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from runtime.models.blocks import ConvBNAct, Input
from runtime.quantization.calibration import finish_observing, set_state, start_observing
from runtime.quantization.config import QuantizationConfig, QuantizationRule
from runtime.quantization.convert import convert
from runtime.quantization.graph import QuantizedGraph
from runtime.quantization.modules.conv import WeightedModule
from runtime.quantization.state import State

IMAGE_RULE = QuantizationRule(match="img", bits=8, scale=1 / 128)


class ChainNetwork(nn.Module):
    """Images (B, 3, 12, 16) to (B, 4, 6, 8).

    Args:
        activation: of `expand`.
    """

    def __init__(self, activation: str | None = "relu") -> None:
        super().__init__()
        self.img = Input()
        self.stem = _conv(3, 8, kernel_size=3, stride=2)
        self.expand = _conv(8, 24, activation=activation)
        self.depthwise = _conv(24, 24, kernel_size=3, groups=24)
        self.project = _conv(24, 8, activation=None)
        self.last = nn.Conv2d(8, 4, 3, padding=1)

    def forward(self, img: Tensor) -> Tensor:
        return self.last(self.project(self.depthwise(self.expand(self.stem(self.img(img))))))


def _conv(inputs: int, outputs: int, **settings: object) -> ConvBNAct:
    return ConvBNAct(in_channels=inputs, out_channels=outputs, batch_norm=False, **settings)  # type: ignore[arg-type]


def unevened(network: ChainNetwork, spread: float = 50.0) -> ChainNetwork:
    """The same function with the channels of the two inner tensors up to `spread` times apart."""
    factors = torch.logspace(0, 1, 24, base=spread)[torch.randperm(24)]
    for first, second in ((network.expand, network.depthwise), (network.depthwise, network.project)):
        with torch.no_grad():
            first.conv.weight.mul_(factors.view(-1, 1, 1, 1))
            first.conv.bias.mul_(factors)
            column = factors.view(-1, 1, 1, 1) if second is network.depthwise else factors.view(1, -1, 1, 1)
            second.conv.weight.div_(column)
    return network


def converted(
    network: nn.Module, rules: Iterable[QuantizationRule] = (), **settings: object
) -> tuple[nn.Module, QuantizedGraph]:
    """In the state FLOAT."""
    config = QuantizationConfig(rules=[IMAGE_RULE, *rules], **settings)  # type: ignore[arg-type]
    graph = convert(network.eval(), config, lambda shadow: {"y": shadow(images(1)[0].to("meta"))})
    return network, graph


def images(batches: int = 4, seed: int = 0) -> list[Tensor]:
    """Batches of four smooth images of bytes at 1/128."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(batches, 4, 3, 3, 4, generator=generator)
    smooth = nn.functional.interpolate(coarse.flatten(0, 1), size=(12, 16), mode="bilinear")
    return list((smooth * 64).round().clamp(-128, 127).div(128).unflatten(0, (batches, 4)))


def replay_of(network: nn.Module, batches: Sequence[Tensor]) -> Callable[[], None]:
    """Runs the network on the batches."""

    @torch.no_grad()
    def replay() -> None:
        for img in batches:
            network(img)

    return replay


def calibrate(network: nn.Module, batches: Sequence[Tensor]) -> None:
    """From FLOAT to QUANTISE."""
    start_observing(network)
    replay_of(network, batches)()
    finish_observing(network)


@torch.no_grad()
def results(network: nn.Module, state: State, batches: Sequence[Tensor]) -> Tensor:
    """All results in a state, (N, 4, 6, 8)."""
    set_state(network, state)
    return torch.cat([network(img) for img in batches])


def sqnr(real: Tensor, rounded: Tensor) -> float:
    """Signal over quantisation noise in dB."""
    return 10 * torch.log10(real.square().sum() / (real - rounded).square().sum()).item()


def layer_of(graph: QuantizedGraph, name: str) -> WeightedModule:
    """A convolution of the network by name."""
    module = graph.modules[name]
    assert isinstance(module, WeightedModule)
    return module
