"""ResNet (He et al. 2015) and ResNeXt (Xie et al. 2016), stride in the 3x3 as torchvision has it."""

from __future__ import annotations

from benchmarks.networks.layers import Layers
from runtime.bpu.operation import Shape


def resnet(
    image: Shape, *, blocks: tuple[int, ...], bottleneck: bool, groups: int = 1, width: int = 64
) -> Layers:
    """`groups` and `width` (of a group at the first stage, 64 for a ResNet) make a ResNeXt."""
    net = Layers(image)
    x = net.max_pool(net.conv(net.image, 64, 7, 2), 3, 2)
    for stage, count in enumerate(blocks):
        planes = 64 * 2**stage
        for block in range(count):
            stride = 2 if stage > 0 and block == 0 else 1
            out = planes * 4 if bottleneck else planes
            shortcut = x if x.channels == out and stride == 1 else net.conv(x, out, 1, stride)
            if bottleneck:
                inner = planes * width // 64 * groups
                y = net.conv(net.conv(x, inner), inner, 3, stride, groups=groups)
                x = net.conv(y, out, residual=shortcut)
            else:
                x = net.conv(net.conv(x, planes, 3, stride), planes, 3, residual=shortcut)
    net.classify(x)
    return net


def resnet18(image: Shape) -> Layers:
    return resnet(image, blocks=(2, 2, 2, 2), bottleneck=False)


def resnet50(image: Shape) -> Layers:
    return resnet(image, blocks=(3, 4, 6, 3), bottleneck=True)


def resnet152(image: Shape) -> Layers:
    return resnet(image, blocks=(3, 8, 36, 3), bottleneck=True)


def resnext50_32x4d(image: Shape) -> Layers:
    return resnet(image, blocks=(3, 4, 6, 3), bottleneck=True, groups=32, width=4)
