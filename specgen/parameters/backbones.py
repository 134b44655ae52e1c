"""Learned numbers of the backbones."""

from __future__ import annotations

import math

from specgen.inference.backbones import round_channels
from specgen.inference.features import Config
from specgen.parameters.layers import conv, conv_bn, depthwise

# (width, depth) of each model type, and (expansion, channels, blocks, kernel) of each stage: Tan and Le,
# "EfficientNet", 2019, tables 1 and 8 of the code published with it.
_MULTIPLIERS = {"b0": (1.0, 1.0), "b1": (1.0, 1.1), "b2": (1.1, 1.2), "b3": (1.2, 1.4), "b4": (1.4, 1.8)}
_STAGES = (
    (1, 16, 1, 3),
    (6, 24, 2, 3),
    (6, 40, 2, 5),
    (6, 80, 3, 3),
    (6, 112, 3, 5),
    (6, 192, 4, 5),
    (6, 320, 1, 3),
)
_STEM = 32
# Blocks of each stage: He et al., "Deep Residual Learning for Image Recognition", 2016, table 1.
_RESNETS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
_RESNET_CHANNELS = (64, 128, 256, 512)


def efficientnet(config: Config) -> int:
    """Stem and blocks, without the classification top."""
    width, depth = _MULTIPLIERS[config["model_type"]]
    width = width if config["width_multiplier"] is None else config["width_multiplier"]
    depth = depth if config["depth_multiplier"] is None else config["depth_multiplier"]
    channels = round_channels(_STEM, width)
    total = conv_bn(config["in_channels"], channels, 3)
    for expansion, wanted, blocks, kernel in _STAGES:
        outputs = round_channels(wanted, width)
        for _ in range(math.ceil(blocks * depth)):
            total += _mbconv(channels, outputs, expansion, kernel, config["use_se_block"])
            channels = outputs
    return total


def _mbconv(inputs: int, outputs: int, expansion: int, kernel: int, squeeze: bool) -> int:
    inner = inputs * expansion
    total = conv_bn(inputs, inner) if expansion != 1 else 0
    total += depthwise(inner, kernel) + conv_bn(inner, outputs)
    if squeeze:
        squeezed = max(1, inputs // 4)
        total += conv(inner, squeezed, bias=True) + conv(squeezed, inner, bias=True)
    return total


def resnet(config: Config) -> int:
    """Stem and blocks, without the classification top."""
    depth = config["depth"]
    channels = _RESNET_CHANNELS[0]
    total = conv_bn(config["in_channels"], channels, 7)
    for stage, (width, blocks) in enumerate(zip(_RESNET_CHANNELS, _RESNETS[depth], strict=True)):
        for block in range(blocks):
            outputs = 4 * width if depth >= 50 else width
            if depth >= 50:
                total += conv_bn(channels, width) + conv_bn(width, width, 3) + conv_bn(width, outputs)
            else:
                total += conv_bn(channels, width, 3) + conv_bn(width, width, 3)
            if channels != outputs or (stage > 0 and block == 0):
                total += conv_bn(channels, outputs)
            channels = outputs
    return total
