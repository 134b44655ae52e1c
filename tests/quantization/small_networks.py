"""A network of a few channels in which every quantised operation occurs, and how it is calibrated."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from runtime.models.blocks import (
    Add,
    BinAvgPool,
    Concat,
    ConvBNAct,
    GridSample,
    Input,
    Resize,
    SqueezeExcite,
    ViewSum,
)
from runtime.quantization.calibration import finish_observing, start_observing
from runtime.quantization.config import QuantizationConfig, QuantizationRule
from runtime.quantization.convert import convert
from runtime.quantization.fold_bn import fold_batch_norm
from runtime.quantization.graph import QuantizedGraph

VIEWS = 2
SIZE = (12, 20)
IMAGE_RULE = QuantizationRule(match="img", bits=8, scale=1 / 128)


class EveryOperation(nn.Module):
    """Images (B * V, 3, 12, 20) and points (B * V, 5, 6, 2) to a map, a pooled vector and a gated map."""

    def __init__(self) -> None:
        super().__init__()
        self.img = Input()
        self.stem = ConvBNAct(in_channels=3, out_channels=8, kernel_size=3, stride=2)
        self.depthwise = ConvBNAct(in_channels=8, out_channels=8, kernel_size=3, groups=8, activation="relu6")
        self.project = ConvBNAct(in_channels=8, out_channels=8, activation=None)
        self.residual = Add()  # takes the accumulator of `project`
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.deep = ConvBNAct(in_channels=8, out_channels=8, activation="swish")
        self.up = Resize(mode="bilinear")
        self.nearest = Resize(mode="nearest")
        self.sum = Add(activation="relu")
        self.bins = BinAvgPool(bins=2)
        self.bin_up = Resize(mode="bilinear")
        self.concat = Concat()
        self.squeeze = SqueezeExcite(channels=16, squeezed_channels=4, activation="relu")
        self.sample = GridSample(point_scale=1 / 256)
        self.views = ViewSum(num_views=VIEWS)
        self.first = ConvBNAct(in_channels=16, out_channels=8, kernel_size=3)
        self.map = nn.Conv2d(4, 3, 1)
        self.other = nn.Conv2d(4, 2, 3, padding=1)
        self.mean = BinAvgPool(bins=1)
        self.classify = nn.Linear(16, 5)

    def forward(self, img: Tensor, points: Tensor) -> dict[str, Tensor]:
        x = self.stem(self.img(img))
        x = self.residual(self.project(self.depthwise(x)), x)
        deep = self.deep(self.pool(x))
        size = (x.shape[-2], x.shape[-1])
        x = self.sum(x, self.up(deep, size), self.nearest(deep, size))
        x = self.squeeze(self.concat(x, self.bin_up(self.bins(x), size)))
        bev = self.views(self.sample(x, points))
        left, right = self.first(bev).split(4, dim=1)
        return {
            "map": self.map(left),
            "other": self.other(right),
            "class": self.classify(self.mean(bev).flatten(1)),
        }


class EveryShift(EveryOperation):
    """The same with a convolution after the mean over 15 pixels, which no power of two is the inverse of."""

    def __init__(self) -> None:
        super().__init__()
        self.bins = nn.Sequential(self.bins, ConvBNAct(in_channels=8, out_channels=8))


def random_inputs(samples: int = 2) -> tuple[Tensor, Tensor]:
    """Normalised images and points that lie partly outside of the 6 x 10 features."""
    img = torch.randint(-128, 128, (samples * VIEWS, 3, *SIZE)) / 128
    points = torch.randint(-2 * 256, 12 * 256, (samples * VIEWS, 5, 6, 2)) / 256
    return img, points.clamp(max=10.0)


def with_statistics(network: nn.Module) -> nn.Module:
    """Normalisation with statistics and weights that are not the initial ones, in evaluation mode."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.3, 2.0)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    return network.eval()


def converted(
    network: nn.Module, rules: Iterable[QuantizationRule] = (), **settings: object
) -> tuple[nn.Module, QuantizedGraph]:
    """Folded and converted, in the state FLOAT; the image enters at 1/128."""
    fold_batch_norm(with_statistics(network))
    config = QuantizationConfig(rules=[IMAGE_RULE, *rules], **settings)  # type: ignore[arg-type]
    graph = convert(network, config, lambda shadow: shadow(*(x.to("meta") for x in random_inputs(1))))
    return network, graph


def calibrated(
    network: nn.Module, rules: Iterable[QuantizationRule] = (), **settings: object
) -> tuple[nn.Module, QuantizedGraph]:
    """Converted and calibrated on two random batches, in the state QUANTISE."""
    network, graph = converted(network, rules, **settings)
    start_observing(network)
    with torch.no_grad():
        for _ in range(2):
            network(*random_inputs())
    finish_observing(network)
    return network, graph
