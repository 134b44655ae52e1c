"""RepVGG (Ding et al. 2021) as deployed: every block folded into one 3x3 convolution."""

from __future__ import annotations

from benchmarks.networks.layers import Layers
from runtime.bpu.operation import Shape


def repvgg(image: Shape, *, width: float, last_width: float) -> Layers:
    """The A series: 1, 2, 4, 14 and 1 layers a stage."""
    net = Layers(image)
    x = net.conv(net.image, min(64, int(64 * width)), 3, 2)
    stages = ((int(64 * width), 2), (int(128 * width), 4), (int(256 * width), 14), (int(512 * last_width), 1))
    for channels, repeats in stages:
        for repeat in range(repeats):
            x = net.conv(x, channels, 3, 2 if repeat == 0 else 1)
    net.classify(x)
    return net


def repvgg_a0(image: Shape) -> Layers:
    return repvgg(image, width=0.75, last_width=2.5)


def repvgg_a1(image: Shape) -> Layers:
    return repvgg(image, width=1.0, last_width=2.5)
