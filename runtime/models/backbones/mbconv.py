"""The mobile inverted bottleneck, EfficientNet's block."""

from __future__ import annotations

from torch import Tensor, nn

from runtime.models.blocks import Activation, Add, BnKwargs, ConvBNAct, SqueezeExcite


class MBConv(nn.Module):
    """1x1 expand, depthwise, squeeze-and-excitation (optional), 1x1 project, residual where shapes allow.

    Sandler et al., "MobileNetV2", 2018; Tan and Le, "EfficientNet", 2019.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        expand_ratio: 1 leaves the expansion out.
        kernel_size: odd side of the depthwise kernel.
        stride: of the depthwise convolution.
        activation: of expansion and depthwise convolution; the projection is linear.
        use_se_block: squeeze to a quarter of `in_channels`.
        bn_kwargs: see `ConvBNAct`.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        expand_ratio: int,
        kernel_size: int,
        stride: int,
        activation: Activation,
        use_se_block: bool,
        bn_kwargs: BnKwargs | None,
    ) -> None:
        super().__init__()
        channels = in_channels * expand_ratio
        self.expand = (
            ConvBNAct(
                in_channels=in_channels, out_channels=channels, bn_kwargs=bn_kwargs, activation=activation
            )
            if expand_ratio != 1
            else None
        )
        self.depthwise = ConvBNAct(
            in_channels=channels,
            out_channels=channels,
            kernel_size=kernel_size,
            stride=stride,
            groups=channels,
            bn_kwargs=bn_kwargs,
            activation=activation,
        )
        self.se = (
            SqueezeExcite(
                channels=channels, squeezed_channels=max(1, in_channels // 4), activation=activation
            )
            if use_se_block
            else None
        )
        self.project = ConvBNAct(
            in_channels=channels, out_channels=out_channels, bn_kwargs=bn_kwargs, activation=None
        )
        self.add = Add() if stride == 1 and in_channels == out_channels else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) to (B, out_channels, ceil(H / stride), ceil(W / stride))."""
        y = x if self.expand is None else self.expand(x)
        y = self.depthwise(y)
        if self.se is not None:
            y = self.se(y)
        y = self.project(y)
        return y if self.add is None else self.add(y, x)
