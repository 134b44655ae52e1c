"""Convolution, batch normalisation and activation: the unit that fixed point folds into one operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from runtime.models.blocks.activation import Activation, make_activation

BnKwargs = Mapping[str, float]


def _batch_norm(channels: int, bn_kwargs: BnKwargs | None) -> nn.BatchNorm2d:
    known: dict[str, Any] = dict(bn_kwargs or {})
    return nn.BatchNorm2d(channels, **known)


class ConvBNAct(nn.Module):
    """`act(bn(conv(x)))`, padded by half the kernel on every side: stride s turns n pixels into ceil(n / s).

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        kernel_size: odd side of the kernel.
        stride: step of the kernel.
        groups: 1, or `in_channels` for a depthwise convolution.
        batch_norm: False leaves the normalisation out and gives the convolution a bias.
        bn_kwargs: `eps` and `momentum` of the normalisation; None: torch's own.
        activation: None for a linear output.

    Raises:
        ValueError: the kernel is even: its output would not be centred on its input.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 1,
        stride: int = 1,
        groups: int = 1,
        batch_norm: bool = True,
        bn_kwargs: BnKwargs | None = None,
        activation: Activation | None = "relu",
    ) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size is {kernel_size}, expected an odd number")
        self.conv = nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=kernel_size // 2,
            groups=groups,
            bias=not batch_norm,
        )
        # None, not Identity: a missing step leaves no name behind in reports and checkpoints.
        self.bn = _batch_norm(out_channels, bn_kwargs) if batch_norm else None
        self.act = make_activation(activation) if activation is not None else None

    @property
    def out_channels(self) -> int:
        """C of the output."""
        return self.conv.out_channels

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) to (B, out_channels, ceil(H / stride), ceil(W / stride))."""
        x = self.conv(x)
        if self.bn is not None:
            x = self.bn(x)
        if self.act is not None:
            x = self.act(x)
        return x
