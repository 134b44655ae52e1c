"""Segmentation head of separable convolutions (Long et al., "Fully Convolutional Networks", 2015)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from runtime.models.blocks import BnKwargs, SeparableConv


class DepthwiseSeparableFCNHead(nn.Module):
    """Separable convolutions, dropout of whole channels, 1x1 convolution to one logit a class.

    Args:
        input_index: which of the given maps is used.
        in_channels: C of that map.
        feat_channels: C of the separable convolutions.
        num_classes: logits a pixel.
        dropout_ratio: share of channels that training zeroes.
        num_convs: number of separable convolutions.
        bn_kwargs: see `ConvBNAct`.

    Raises:
        ValueError: `num_convs` below 1.
    """

    def __init__(
        self,
        *,
        input_index: int = 0,
        in_channels: int,
        feat_channels: int,
        num_classes: int,
        dropout_ratio: float = 0.1,
        num_convs: int = 2,
        bn_kwargs: BnKwargs | None = None,
    ) -> None:
        super().__init__()
        if num_convs < 1:
            raise ValueError(f"num_convs is {num_convs}, expected at least 1")
        self.input_index = input_index
        self.in_channels = in_channels
        self.num_classes = num_classes
        self.convs = nn.Sequential(
            *(
                SeparableConv(
                    in_channels=in_channels if index == 0 else feat_channels,
                    out_channels=feat_channels,
                    bn_kwargs=bn_kwargs,
                )
                for index in range(num_convs)
            )
        )
        self.dropout = nn.Dropout2d(dropout_ratio)
        self.classify = nn.Conv2d(feat_channels, num_classes, 1)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """List of maps, of which (B, in_channels, H, W) is used, to logits (B, num_classes, H, W)."""
        x = self.convs(features[self.input_index])
        # Dropout without effect would still be an operation of the exported graph.
        return self.classify(self.dropout(x) if self.training else x)
