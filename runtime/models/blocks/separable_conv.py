"""Depthwise-separable convolution."""

from __future__ import annotations

from torch import Tensor, nn

from runtime.models.blocks.activation import Activation
from runtime.models.blocks.conv_bn_act import BnKwargs, ConvBNAct


class SeparableConv(nn.Module):
    """A depthwise convolution, which looks around, and a 1x1 convolution, which mixes channels.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        kernel_size: odd side of the depthwise kernel.
        depthwise_batch_norm: False leaves the normalisation between the two out.
        depthwise_activation: activation between the two; None for none.
        activation: activation of the output; None for none.
        bn_kwargs: see `ConvBNAct`.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        depthwise_batch_norm: bool = True,
        depthwise_activation: Activation | None = "relu",
        activation: Activation | None = "relu",
        bn_kwargs: BnKwargs | None = None,
    ) -> None:
        super().__init__()
        self.depthwise = ConvBNAct(
            in_channels=in_channels,
            out_channels=in_channels,
            kernel_size=kernel_size,
            groups=in_channels,
            batch_norm=depthwise_batch_norm,
            bn_kwargs=bn_kwargs,
            activation=depthwise_activation,
        )
        self.pointwise = ConvBNAct(
            in_channels=in_channels, out_channels=out_channels, bn_kwargs=bn_kwargs, activation=activation
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) to (B, out_channels, H, W)."""
        return self.pointwise(self.depthwise(x))
