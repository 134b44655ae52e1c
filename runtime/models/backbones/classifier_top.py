"""The ImageNet classifier on top of a backbone."""

from __future__ import annotations

from torch import Tensor, nn

from runtime.models.blocks import Activation, BnKwargs, ConvBNAct, GlobalAvgPool


class ClassifierTop(nn.Module):
    """Optional 1x1 convolution, mean over pixels, linear layer.

    Args:
        in_channels: C of the deepest map.
        head_channels: outputs of the 1x1 convolution; None leaves it out.
        num_classes: number of logits.
        activation: of the 1x1 convolution.
        bn_kwargs: see `ConvBNAct`.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        head_channels: int | None,
        num_classes: int,
        activation: Activation = "relu",
        bn_kwargs: BnKwargs | None = None,
    ) -> None:
        super().__init__()
        self.head = (
            ConvBNAct(
                in_channels=in_channels,
                out_channels=head_channels,
                bn_kwargs=bn_kwargs,
                activation=activation,
            )
            if head_channels is not None
            else None
        )
        self.pool = GlobalAvgPool()
        self.classifier = nn.Linear(in_channels if head_channels is None else head_channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) to logits (B, num_classes)."""
        if self.head is not None:
            x = self.head(x)
        return self.classifier(self.pool(x).flatten(1))
