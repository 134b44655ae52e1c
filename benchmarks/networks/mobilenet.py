"""MobileNetV1 (Howard et al. 2017) and MobileNetV2 (Sandler et al. 2018)."""

from __future__ import annotations

from benchmarks.networks.layers import Layers
from runtime.bpu.operation import Shape

_V1 = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
# expansion, channels, repeats, stride: table 2 of the paper.
_V2 = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def mobilenet_v1(image: Shape, *, width: float = 1.0) -> Layers:
    net = Layers(image)
    x = net.conv(net.image, int(32 * width), 3, 2)
    for channels, stride in _V1:
        x = net.conv(net.depthwise(x, 3, stride), int(channels * width))
    net.classify(x)
    return net


def mobilenet_v2(image: Shape) -> Layers:
    net = Layers(image)
    x = net.conv(net.image, 32, 3, 2)
    for expansion, channels, repeats, first_stride in _V2:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            y = x if expansion == 1 else net.conv(x, x.channels * expansion)
            residual = x if stride == 1 and x.channels == channels else None
            x = net.conv(net.depthwise(y, 3, stride), channels, residual=residual)
    net.classify(net.conv(x, 1280))
    return net
