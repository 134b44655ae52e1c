"""Learned numbers of the necks."""

from __future__ import annotations

from itertools import pairwise

from specgen.inference.features import Config
from specgen.parameters.layers import conv, conv_bn, separable


def fast_scnn(config: Config) -> int:
    """Pyramid pooling of the deepest map, then a fusion for each shallower one."""
    inputs, outputs = config["in_channels"], config["feat_channels"]
    branch, bins = max(1, inputs[-1] // 4), len(config["pool_bins"])
    total = bins * conv_bn(inputs[-1], branch) + conv_bn(inputs[-1] + bins * branch, outputs[-1], 3)
    for (shallow, deep), source in zip(pairwise(outputs), inputs[:-1], strict=True):
        total += separable(deep, shallow) + conv_bn(source, shallow) + 2 * separable(shallow, shallow)
    return total


def bifpn(config: Config) -> int:
    """A lateral convolution for each map used, then the nodes of each pass; the last passes ends where nobody
    needs more."""
    strides = config["in_strides"]
    end = config["end_level"]
    used = strides[config["start_level"] : (len(strides) + end if end < 0 else end) + 1]
    levels = list(used)
    while len(levels) < config["num_outs"]:
        levels.append(2 * levels[-1])
    channels, of = config["out_channels"], config["stride2channels"]
    total = sum(conv_bn(of[str(stride)], channels) for stride in used)
    # A node has a depthwise convolution without normalisation, with a bias instead, and a pointwise one.
    node = conv(channels, channels, 3, groups=channels, bias=True) + conv_bn(channels, channels)
    deepest = levels.index(config["out_strides"][-1])
    full = 2 * (len(levels) - 1)
    return total + node * (full * (config["stack"] - 1) + len(levels) - 1 + deepest)
