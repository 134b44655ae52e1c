"""Squeeze-and-excitation."""

from __future__ import annotations

from torch import Tensor, nn

from runtime.models.blocks.activation import Activation
from runtime.models.blocks.avg_pool import GlobalAvgPool
from runtime.models.blocks.conv_bn_act import ConvBNAct


class Multiply(nn.Module):
    """Product of a map and a gate for each channel."""

    def forward(self, x: Tensor, gate: Tensor) -> Tensor:
        """(B, C, H, W) and (B, C, 1, 1) to (B, C, H, W)."""
        return x * gate


class SqueezeExcite(nn.Module):
    """Gates channels by a function of their means (Hu et al., "Squeeze-and-Excitation Networks", 2018).

    Args:
        channels: C of the map.
        squeezed_channels: channels of the bottleneck.
        activation: activation of the bottleneck.
    """

    def __init__(self, *, channels: int, squeezed_channels: int, activation: Activation) -> None:
        super().__init__()
        self.pool = GlobalAvgPool()
        self.reduce = ConvBNAct(
            in_channels=channels, out_channels=squeezed_channels, batch_norm=False, activation=activation
        )
        self.expand = ConvBNAct(
            in_channels=squeezed_channels, out_channels=channels, batch_norm=False, activation=None
        )
        self.gate = nn.Sigmoid()
        self.multiply = Multiply()

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, H, W)."""
        return self.multiply(x, self.gate(self.expand(self.reduce(self.pool(x)))))
