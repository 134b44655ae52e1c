"""Learned numbers of the heads."""

from __future__ import annotations

from specgen.inference.features import Config
from specgen.parameters.layers import conv, conv_bn, separable


def fcn_head(config: Config) -> int:
    """Separable convolutions, then a classifier of each cell."""
    channels = config["feat_channels"]
    total = separable(config["in_channels"], channels) + (config["num_convs"] - 1) * separable(
        channels, channels
    )
    return total + conv(channels, config["num_classes"], bias=True)


def center_point_head(config: Config) -> int:
    """Shared convolutions, then for each task the branches and the heatmap."""
    shared, number, inputs = config["share_conv_channels"], config["share_conv_num"], config["in_channels"]
    total = 0
    for index in range(number):
        total += conv_bn(inputs if index == 0 else shared, shared, 3)
    source = shared if number else inputs
    for classes in config["tasks"]:
        branches = [*config["common_heads"].values(), (len(classes), config["num_heatmap_convs"])]
        total += sum(_branch(config, source, outputs, convs) for outputs, convs in branches)
    return total


def _branch(config: Config, inputs: int, outputs: int, convs: int) -> int:
    hidden, kernel = config["head_conv_channels"], config["final_kernel"]
    if convs == 1:
        return conv(inputs, outputs, kernel, bias=True)
    between = conv_bn(inputs, hidden, 3) + (convs - 2) * conv_bn(hidden, hidden, 3)
    return between + conv(hidden, outputs, kernel, bias=True)
