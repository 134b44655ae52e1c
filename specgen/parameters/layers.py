"""Learned numbers of the layers that the models are made of; running means are not learned."""

from __future__ import annotations


def conv(inputs: int, outputs: int, kernel: int = 1, *, groups: int = 1, bias: bool = False) -> int:
    """A convolution with a square kernel."""
    return inputs // groups * outputs * kernel**2 + (outputs if bias else 0)


def conv_bn(inputs: int, outputs: int, kernel: int = 1, *, groups: int = 1) -> int:
    """A convolution and the two numbers a channel of its batch normalisation."""
    return conv(inputs, outputs, kernel, groups=groups) + 2 * outputs


def depthwise(channels: int, kernel: int = 3) -> int:
    """A depthwise convolution with batch normalisation."""
    return conv_bn(channels, channels, kernel, groups=channels)


def separable(inputs: int, outputs: int) -> int:
    """A depthwise and a pointwise convolution, each with batch normalisation."""
    return depthwise(inputs) + conv_bn(inputs, outputs)
