"""FasterNet-T0 (Chen et al. 2023): partial convolutions on a quarter of the channels."""

from __future__ import annotations

from benchmarks.networks.layers import Layers
from runtime.bpu.operation import Shape


def fasternet_t0(image: Shape) -> Layers:
    net = Layers(image)
    channels = 40
    x = net.conv(net.image, channels, 4, 4, pad=(0, 0))
    for stage, depth in enumerate((1, 2, 8, 2)):
        if stage > 0:
            channels *= 2
            x = net.conv(x, channels, 2, 2, pad=(0, 0))
        for _ in range(depth):
            part, rest = net.part(x, channels // 4), net.part(x, channels - channels // 4)
            y = net.concat(net.conv(part, channels // 4, 3), rest)
            # GELU in T0.
            y = net.lookup(net.conv(y, 2 * channels))
            x = net.conv(y, channels, residual=x)
    net.linear(net.lookup(net.conv(net.global_avg_pool(x), 1280)), 1000)
    return net
