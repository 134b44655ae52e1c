"""EfficientNet (Tan and Le, 2019); by default as fixed point likes it: ReLU, no squeeze-and-excitation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

from torch import Tensor, nn

from runtime.models.backbones.classifier_top import ClassifierTop
from runtime.models.backbones.mbconv import MBConv
from runtime.models.backbones.pretrained import from_timm_efficientnet
from runtime.models.blocks import Activation, BnKwargs, ConvBNAct
from runtime.models.interfaces import Backbone, FeatureInfo

ModelType = Literal["b0", "b1", "b2", "b3", "b4"]

_MULTIPLIERS: dict[str, tuple[float, float]] = {
    # width, depth
    "b0": (1.0, 1.0),
    "b1": (1.0, 1.1),
    "b2": (1.1, 1.2),
    "b3": (1.2, 1.4),
    "b4": (1.4, 1.8),
}


class _Stage(NamedTuple):
    expand_ratio: int
    channels: int
    blocks: int
    kernel_size: int
    stride: int


_STAGES = (
    _Stage(1, 16, 1, 3, 1),
    _Stage(6, 24, 2, 3, 2),
    _Stage(6, 40, 2, 5, 2),
    _Stage(6, 80, 3, 3, 2),
    _Stage(6, 112, 3, 5, 1),
    _Stage(6, 192, 4, 5, 2),
    _Stage(6, 320, 1, 3, 1),
)
_STEM_CHANNELS = 32
_TOP_CHANNELS = 1280


def round_channels(channels: int, width_multiplier: float) -> int:
    """Scaled channels: the nearest multiple of 8, at least 8, and not below 90 % of what was wanted."""
    wanted = channels * width_multiplier
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


class EfficientNet(Backbone):
    """The five maps of strides 2, 4, 8, 16, 32; for `b0` of 16, 24, 40, 112, 320 channels.

    Strides are realised with symmetric padding, as in timm's `efficientnet_lite0`.

    Args:
        model_type: sets width and depth where these are not given.
        in_channels: 3 for an image, the view transform's channels in the BEV encoder.
        num_classes: outputs of the classifier, where there is one.
        include_top: append the ImageNet classifier; the forward then gives its logits.
        activation: of every convolution but the linear projections.
        use_se_block: squeeze-and-excitation in every block, as in the paper.
        width_multiplier: scales channels; None: that of `model_type`.
        depth_multiplier: scales blocks a stage; None: that of `model_type`.
        bn_kwargs: see `ConvBNAct`.

    Raises:
        ValueError: unknown `model_type`.
    """

    def __init__(
        self,
        *,
        model_type: ModelType = "b0",
        in_channels: int = 3,
        num_classes: int = 1000,
        include_top: bool = False,
        activation: Activation = "relu",
        use_se_block: bool = False,
        width_multiplier: float | None = None,
        depth_multiplier: float | None = None,
        bn_kwargs: BnKwargs | None = None,
    ) -> None:
        super().__init__()
        if model_type not in _MULTIPLIERS:
            raise ValueError(f"model_type is {model_type!r}, expected one of {get_args(ModelType)}")
        width, depth = _MULTIPLIERS[model_type]
        width = width if width_multiplier is None else width_multiplier
        depth = depth if depth_multiplier is None else depth_multiplier

        channels = round_channels(_STEM_CHANNELS, width)
        self.stem = ConvBNAct(
            in_channels=in_channels,
            out_channels=channels,
            kernel_size=3,
            stride=2,
            bn_kwargs=bn_kwargs,
            activation=activation,
        )
        self.stages = nn.ModuleList()
        self.feature_info = []
        self._feature_stages: list[int] = []
        stride = 2
        for index, stage in enumerate(_STAGES):
            out_channels = round_channels(stage.channels, width)
            stride *= stage.stride
            blocks = nn.Sequential()
            for number in range(math.ceil(stage.blocks * depth)):
                blocks.append(
                    MBConv(
                        in_channels=channels,
                        out_channels=out_channels,
                        expand_ratio=stage.expand_ratio,
                        kernel_size=stage.kernel_size,
                        stride=stage.stride if number == 0 else 1,
                        activation=activation,
                        use_se_block=use_se_block,
                        bn_kwargs=bn_kwargs,
                    )
                )
                channels = out_channels
            self.stages.append(blocks)
            # The deepest stage of each stride is the feature.
            if index + 1 == len(_STAGES) or _STAGES[index + 1].stride == 2:
                self._feature_stages.append(index)
                self.feature_info.append(FeatureInfo(channels, stride))
        self.top = (
            ClassifierTop(
                in_channels=channels,
                head_channels=round_channels(_TOP_CHANNELS, width),
                num_classes=num_classes,
                activation=activation,
                bn_kwargs=bn_kwargs,
            )
            if include_top
            else None
        )
        _initialise(self)

    def forward(self, x: Tensor) -> list[Tensor] | Tensor:
        """(B, in_channels, H, W) to five maps, finest first; to logits (B, num_classes) with the top."""
        x = self.stem(x)
        features = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in self._feature_stages:
                features.append(x)
        return features if self.top is None else self.top(x)

    def convert_pretrained(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights of timm's `efficientnet_*` and `tf_efficientnet_*` under this backbone's names."""
        return from_timm_efficientnet(weights)


def _initialise(model: nn.Module) -> None:
    """Normal weights of variance 2 / fan-out, where a depthwise fan-out counts its own channel only."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels // module.groups
            nn.init.normal_(module.weight, std=math.sqrt(2.0 / fan_out))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
