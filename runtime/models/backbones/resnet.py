"""ResNet (He et al., "Deep Residual Learning for Image Recognition", 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from torch import Tensor, nn

from runtime.models.backbones.classifier_top import ClassifierTop
from runtime.models.backbones.pretrained import from_public_resnet
from runtime.models.blocks import Add, BnKwargs, ConvBNAct
from runtime.models.interfaces import Backbone, FeatureInfo

Depth = Literal[18, 34, 50]

_STAGE_CHANNELS = (64, 128, 256, 512)
_BLOCKS: dict[int, tuple[int, int, int, int]] = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}


class ResidualBlock(nn.Module):
    """Convolutions around which the input is added.

    Args:
        in_channels: C of the input.
        channels: C of the 3x3 convolutions.
        stride: of the block, in its (last but for the bottleneck's projection) 3x3 convolution.
        bottleneck: 1x1, 3x3, 1x1 to four times `channels`, with the stride in the 3x3 (as torchvision does,
            "v1.5"); otherwise 3x3, 3x3 with the stride in the first.
        bn_kwargs: see `ConvBNAct`.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        channels: int,
        stride: int,
        bottleneck: bool,
        bn_kwargs: BnKwargs | None,
    ) -> None:
        super().__init__()
        out_channels = 4 * channels if bottleneck else channels
        kernels = (1, 3, 1) if bottleneck else (3, 3)
        widths = (
            (in_channels, channels, channels, out_channels)
            if bottleneck
            else (in_channels, channels, channels)
        )
        strided = 1 if bottleneck else 0
        self.convs = nn.ModuleList(
            ConvBNAct(
                in_channels=widths[index],
                out_channels=widths[index + 1],
                kernel_size=kernel,
                stride=stride if index == strided else 1,
                bn_kwargs=bn_kwargs,
                activation="relu" if index + 1 < len(kernels) else None,
            )
            for index, kernel in enumerate(kernels)
        )
        self.shortcut = (
            ConvBNAct(
                in_channels=in_channels,
                out_channels=out_channels,
                stride=stride,
                bn_kwargs=bn_kwargs,
                activation=None,
            )
            if stride != 1 or in_channels != out_channels
            else None
        )
        self.add = Add(activation="relu")
        self.out_channels = out_channels

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) to (B, out_channels, ceil(H / stride), ceil(W / stride))."""
        y = x
        for conv in self.convs:
            y = conv(y)
        return self.add(y, x if self.shortcut is None else self.shortcut(x))


class ResNet(Backbone):
    """Five maps of strides 2 (stem), 4, 8, 16, 32; 64, 64, 128, 256, 512 channels for depths 18 and 34,
    64, 256, 512, 1024, 2048 for depth 50.

    Args:
        depth: 18, 34 or 50.
        in_channels: 3 for an image, the view transform's channels in the BEV encoder.
        num_classes: outputs of the classifier, where there is one.
        include_top: append the ImageNet classifier; the forward then gives its logits.
        bn_kwargs: see `ConvBNAct`.

    Raises:
        ValueError: another depth.
    """

    def __init__(
        self,
        *,
        depth: Depth = 50,
        in_channels: int = 3,
        num_classes: int = 1000,
        include_top: bool = False,
        bn_kwargs: BnKwargs | None = None,
    ) -> None:
        super().__init__()
        if depth not in _BLOCKS:
            raise ValueError(f"depth is {depth}, expected one of {get_args(Depth)}")
        channels = _STAGE_CHANNELS[0]
        self.stem = ConvBNAct(
            in_channels=in_channels, out_channels=channels, kernel_size=7, stride=2, bn_kwargs=bn_kwargs
        )
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.feature_info = [FeatureInfo(channels, 2)]
        self.stages = nn.ModuleList()
        for index, (width, number) in enumerate(zip(_STAGE_CHANNELS, _BLOCKS[depth], strict=True)):
            blocks = nn.Sequential()
            for position in range(number):
                block = ResidualBlock(
                    in_channels=channels,
                    channels=width,
                    stride=2 if index > 0 and position == 0 else 1,
                    bottleneck=depth >= 50,
                    bn_kwargs=bn_kwargs,
                )
                blocks.append(block)
                channels = block.out_channels
            self.stages.append(blocks)
            self.feature_info.append(FeatureInfo(channels, 4 * 2**index))
        self.top = (
            ClassifierTop(in_channels=channels, head_channels=None, num_classes=num_classes)
            if include_top
            else None
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> list[Tensor] | Tensor:
        """(B, in_channels, H, W) to five maps, finest first; to logits (B, num_classes) with the top."""
        x = self.stem(x)
        features = [x]
        x = self.pool(x)
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features if self.top is None else self.top(x)

    def convert_pretrained(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights of torchvision's and timm's `resnet*` under the names that this backbone has."""
        return from_public_resnet(weights)
