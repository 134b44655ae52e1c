"""GoogLeNet (Szegedy et al. 2014) without auxiliary classifiers, 3x3 for 5x5 as torchvision has it."""

from __future__ import annotations

from benchmarks.networks.layers import Layers
from runtime.bpu.operation import Shape

# 1x1; 1x1 then 3x3; 1x1 then 3x3 ("5x5"); pool then 1x1. Table 1 of the paper; None is a pool between.
_INCEPTIONS = (
    *((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64), None),
    *((192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64)),
    *((112, 144, 288, 32, 64, 64), (256, 160, 320, 32, 128, 128), None),
    *((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)


def googlenet(image: Shape) -> Layers:
    net = Layers(image)
    x = net.max_pool(net.conv(net.image, 64, 7, 2), 3, 2, ceil=True, pad=0)
    x = net.max_pool(net.conv(net.conv(x, 64), 192, 3), 3, 2, ceil=True, pad=0)
    for index, sizes in enumerate(_INCEPTIONS):
        if sizes is None:
            kernel = 3 if index == 2 else 2
            x = net.max_pool(x, kernel, 2, ceil=True, pad=0)
            continue
        one, reduce3, three, reduce5, five, pooled = sizes
        x = net.concat(
            net.conv(x, one),
            net.conv(net.conv(x, reduce3), three, 3),
            net.conv(net.conv(x, reduce5), five, 3),
            net.conv(net.max_pool(x, 3, 1), pooled),
        )
    net.classify(x)
    return net
