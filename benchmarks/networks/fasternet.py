"""FasterNet-T0 (Chen et al. 2023): partial convolutions on a quarter of the channels."""

from __future__ import annotations

from benchmarks.networks.layers import Layers
from runtime.bpu.operation import Operation, Shape


def fasternet_t0(image: Shape) -> list[Operation]:
    net = Layers()
    channels = 40
    x = net.conv(image, channels, 4, 4, pad=(0, 0))
    for stage, depth in enumerate((1, 2, 8, 2)):
        if stage > 0:
            channels *= 2
            x = net.conv(x, channels, 2, 2, pad=(0, 0))
        for _ in range(depth):
            part = (x[0], channels // 4, *x[2:])
            rest = (x[0], channels - channels // 4, *x[2:])
            y = net.concat(net.conv(part, channels // 4, 3), rest)
            # GELU in T0.
            y = net.lookup(net.conv(y, 2 * channels))
            x = net.conv(y, channels, residual=x)
    net.linear(net.lookup(net.conv(net.global_avg_pool(x), 1280)), 1000)
    return net.operations
