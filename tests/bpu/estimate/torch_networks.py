"""Public networks as plain torch modules, written as their authors describe them, apart from `benchmarks`."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def conv_bn(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, *, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    """ResNet's block of two 3x3 (He et al. 2015)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first, self.second = conv_bn(inputs, outputs, 3, stride), conv_bn(outputs, outputs, 3)
        is_same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if is_same else conv_bn(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


def resnet18() -> nn.Module:
    layers = [conv_bn(3, 64, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    channels = 64
    for stage in range(4):
        for block in range(2):
            outputs = 64 * 2**stage
            layers.append(BasicBlock(channels, outputs, 2 if stage > 0 and block == 0 else 1))
            channels = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))


class InvertedResidual(nn.Module):
    """MobileNetV2's block (Sandler et al. 2018)."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand = nn.Identity() if expansion == 1 else nn.Sequential(conv_bn(inputs, inner), nn.ReLU6())
        self.depthwise = nn.Sequential(conv_bn(inner, inner, 3, stride, groups=inner), nn.ReLU6())
        self.project = conv_bn(inner, outputs)
        self.is_residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.is_residual else y


def mobilenet_v2() -> nn.Module:
    layers: list[nn.Module] = [conv_bn(3, 32, 3, 2), nn.ReLU6(inplace=True)]
    channels = 32
    stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2))
    for expansion, outputs, repeats, stride in (*stages, (6, 320, 1, 1)):
        for repeat in range(repeats):
            layers.append(InvertedResidual(channels, outputs, stride if repeat == 0 else 1, expansion))
            channels = outputs
    top = [conv_bn(320, 1280), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2)]
    return nn.Sequential(*layers, *top, nn.Linear(1280, 1000))


class PartialBlock(nn.Module):
    """FasterNet's block (Chen et al. 2023): a 3x3 of a quarter of the channels, then two 1x1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.part = channels // 4
        self.spatial = nn.Conv2d(self.part, self.part, 3, 1, 1, bias=False)
        self.expand = conv_bn(channels, 2 * channels)
        self.project = nn.Conv2d(2 * channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        part, rest = torch.split(x, [self.part, x.shape[1] - self.part], dim=1)
        y = torch.cat([self.spatial(part), rest], dim=1)
        return x + self.project(F.gelu(self.expand(y)))


def fasternet_t0() -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(3, 40, 4, 4, bias=False), nn.BatchNorm2d(40)]
    channels = 40
    for stage, depth in enumerate((1, 2, 8, 2)):
        if stage > 0:
            layers += [nn.Conv2d(channels, 2 * channels, 2, 2, bias=False), nn.BatchNorm2d(2 * channels)]
            channels *= 2
        layers += [PartialBlock(channels) for _ in range(depth)]
    top = [nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, 1280, 1, bias=False), nn.GELU(), nn.Flatten()]
    return nn.Sequential(*layers, *top, nn.Linear(1280, 1000))


def conv_silu(inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(*conv_bn(inputs, outputs, kernel, stride), nn.SiLU(inplace=True))


class C2f(nn.Module):
    """YOLOv8's stage (Ultralytics 2023)."""

    def __init__(self, inputs: int, outputs: int, repeats: int, *, shortcut: bool) -> None:
        super().__init__()
        half, self.shortcut = outputs // 2, shortcut
        self.first = conv_silu(inputs, outputs)
        self.blocks = nn.ModuleList(
            nn.Sequential(conv_silu(half, half, 3), conv_silu(half, half, 3)) for _ in range(repeats)
        )
        self.last = conv_silu((2 + repeats) * half, outputs)

    def forward(self, x: Tensor) -> Tensor:
        parts = list(self.first(x).chunk(2, 1))
        for block in self.blocks:
            y = block(parts[-1])
            parts.append(parts[-1] + y if self.shortcut else y)
        return self.last(torch.cat(parts, 1))


class YoloV8n(nn.Module):
    """The detector without decoding."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            conv_silu(3, 16, 3, 2), conv_silu(16, 32, 3, 2), C2f(32, 32, 1, shortcut=True)
        )
        self.p3 = nn.Sequential(conv_silu(32, 64, 3, 2), C2f(64, 64, 2, shortcut=True))
        self.p4 = nn.Sequential(conv_silu(64, 128, 3, 2), C2f(128, 128, 2, shortcut=True))
        self.p5 = nn.Sequential(conv_silu(128, 256, 3, 2), C2f(256, 256, 1, shortcut=True))
        self.pool_in, self.pool_out = conv_silu(256, 128), conv_silu(512, 256)
        self.n4, self.n3 = C2f(384, 128, 1, shortcut=False), C2f(192, 64, 1, shortcut=False)
        self.down3, self.m4 = conv_silu(64, 64, 3, 2), C2f(192, 128, 1, shortcut=False)
        self.down4, self.m5 = conv_silu(128, 128, 3, 2), C2f(384, 256, 1, shortcut=False)
        self.heads = nn.ModuleList(
            nn.Sequential(conv_silu(inputs, inner, 3), conv_silu(inner, inner, 3), nn.Conv2d(inner, out, 1))
            for inputs in (64, 128, 256)
            for inner, out in ((64, 64), (80, 80))
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        p3 = self.p3(self.stem(x))
        p4 = self.p4(p3)
        pools = [self.pool_in(self.p5(p4))]
        for _ in range(3):
            pools.append(F.max_pool2d(pools[-1], 5, 1, 2))
        p5 = self.pool_out(torch.cat(pools, 1))
        n4 = self.n4(torch.cat([F.interpolate(p5, scale_factor=2.0, mode="nearest"), p4], 1))
        n3 = self.n3(torch.cat([F.interpolate(n4, scale_factor=2.0, mode="nearest"), p3], 1))
        m4 = self.m4(torch.cat([self.down3(n3), n4], 1))
        m5 = self.m5(torch.cat([self.down4(m4), p5], 1))
        return [head(level) for head, level in zip(self.heads, (n3, n3, m4, m4, m5, m5), strict=True)]


TORCH_NETWORKS = {
    "FasterNet-T0": fasternet_t0,
    "MobileNetV2": mobilenet_v2,
    "ResNet18": resnet18,
    "YOLOv8n": YoloV8n,
}
