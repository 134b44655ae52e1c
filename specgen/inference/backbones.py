"""Feature maps of the backbones, by the arithmetic of their papers."""

from __future__ import annotations

from specgen.inference.features import Config, Feature

# Width multiplier of each model type (Tan and Le, "EfficientNet", 2019); depth changes no channels.
_WIDTHS = {"b0": 1.0, "b1": 1.0, "b2": 1.1, "b3": 1.2, "b4": 1.4}
# Output channels of the deepest stage of each stride, at width 1.
_EFFICIENTNET = ((16, 2), (24, 4), (40, 8), (112, 16), (320, 32))

_RESNET_BASIC = ((64, 2), (64, 4), (128, 8), (256, 16), (512, 32))
_RESNET_BOTTLENECK = ((64, 2), (256, 4), (512, 8), (1024, 16), (2048, 32))
_RESNETS = {18: _RESNET_BASIC, 34: _RESNET_BASIC, 50: _RESNET_BOTTLENECK}


def round_channels(channels: int, width: float) -> int:
    """Scaled channels: the nearest multiple of 8, at least 8, not below 90 % of the wanted number."""
    wanted = channels * width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


def efficientnet(config: Config, inputs: list[Feature]) -> list[Feature]:
    """Five maps, finest first."""
    width = config.get("width_multiplier")
    if width is None:
        width = _WIDTHS[config.get("model_type", "b0")]
    (source,) = inputs
    return [
        Feature(round_channels(channels, width), source.stride * stride) for channels, stride in _EFFICIENTNET
    ]


def resnet(config: Config, inputs: list[Feature]) -> list[Feature]:
    """Five maps, the stem's first."""
    (source,) = inputs
    return [
        Feature(channels, source.stride * stride) for channels, stride in _RESNETS[config.get("depth", 50)]
    ]
