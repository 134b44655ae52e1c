"""EfficientNet (Tan and Le 2019) without squeeze-and-excite, which is what its Lite family is.

The Lite family keeps stem and head unscaled and scales neither the first nor the last stage in depth, as in
the authors' `efficientnet_lite_builder`.
"""

from __future__ import annotations

import math

from benchmarks.networks.layers import Layers
from runtime.bpu.operation import Shape

# kernel, repeats, channels, expansion, stride: table 1 of the paper.
_STAGES = (
    *((3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2)),
    *((5, 3, 112, 6, 1), (5, 4, 192, 6, 2), (3, 1, 320, 6, 1)),
)


def efficientnet_lite(image: Shape, *, width: float, depth: float) -> Layers:
    net = Layers(image)
    x = net.conv(net.image, 32, 3, 2)
    for index, (kernel, repeats, base, expansion, first_stride) in enumerate(_STAGES):
        channels = _round_channels(base * width)
        scaled = repeats if index in (0, len(_STAGES) - 1) else math.ceil(repeats * depth)
        for repeat in range(scaled):
            stride = first_stride if repeat == 0 else 1
            y = x if expansion == 1 else net.conv(x, x.channels * expansion)
            residual = x if stride == 1 and x.channels == channels else None
            x = net.conv(net.depthwise(y, kernel, stride), channels, residual=residual)
    net.classify(net.conv(x, 1280))
    return net


def efficientnet_lite0(image: Shape) -> Layers:
    """Also EfficientNet-B0 with ReLU and without squeeze-and-excite: the same layers."""
    return efficientnet_lite(image, width=1.0, depth=1.0)


def efficientnet_lite1(image: Shape) -> Layers:
    return efficientnet_lite(image, width=1.0, depth=1.1)


def efficientnet_lite2(image: Shape) -> Layers:
    return efficientnet_lite(image, width=1.1, depth=1.2)


def _round_channels(channels: float) -> int:
    """To a multiple of 8, never more than a tenth below."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded
