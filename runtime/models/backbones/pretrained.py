"""ImageNet weights of public files, under the names that our backbones have.

Known layouts: timm's EfficientNets (`efficientnet_lite0`, `tf_efficientnet_lite0`, ...) and ResNets as in
torchvision and timm. Two differences remain after renaming, both small enough to train away: the public
weights expect RGB images, and those of `tf_*` models were trained with padding on the right and bottom only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

_Rules = tuple[tuple[str, str], ...]

# The last part of a key (weight, bias, running_mean, ...) always stays.
_EFFICIENTNET: _Rules = (
    (r"conv_stem\.", "stem.conv."),
    (r"bn1\.", "stem.bn."),
    (r"conv_head\.", "top.head.conv."),
    (r"bn2\.", "top.head.bn."),
    (r"classifier\.", "top.classifier."),
)
_MBCONV: _Rules = (
    (r"conv_pw\.", "expand.conv."),
    (r"bn1\.", "expand.bn."),
    (r"conv_dw\.", "depthwise.conv."),
    (r"bn2\.", "depthwise.bn."),
    (r"se\.conv_reduce\.", "se.reduce.conv."),
    (r"se\.conv_expand\.", "se.expand.conv."),
    (r"conv_pwl\.", "project.conv."),
    (r"bn3\.", "project.bn."),
)
# Blocks without expansion number their normalisations from the depthwise convolution on.
_SEPARABLE: _Rules = (
    (r"conv_dw\.", "depthwise.conv."),
    (r"bn1\.", "depthwise.bn."),
    (r"se\.conv_reduce\.", "se.reduce.conv."),
    (r"se\.conv_expand\.", "se.expand.conv."),
    (r"conv_pw\.", "project.conv."),
    (r"bn2\.", "project.bn."),
)
_RESNET: _Rules = (
    (r"conv1\.", "stem.conv."),
    (r"bn1\.", "stem.bn."),
    (r"fc\.", "top.classifier."),
)


def from_timm_efficientnet(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """timm's tensors under the names of `EfficientNet`; keys that are not timm's keep their names.

    Args:
        weights: the file's tensors, with nothing before the names that the public model has.
    """
    linear = {key.rsplit(".", 2)[0] for key in weights if ".conv_pwl." in key}
    return {_efficientnet_key(key, linear): tensor for key, tensor in weights.items()}


def from_public_resnet(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """torchvision's or timm's tensors under the names of `ResNet`; other keys keep their names."""
    return {_resnet_key(key): tensor for key, tensor in weights.items()}


def _efficientnet_key(key: str, blocks_with_expansion: set[str]) -> str:
    block = re.match(r"blocks\.(\d+)\.(\d+)\.", key)
    if block is None:
        return _renamed(key, _EFFICIENTNET)
    rules = _MBCONV if block.group(0).rstrip(".") in blocks_with_expansion else _SEPARABLE
    return f"stages.{block.group(1)}.{block.group(2)}." + _renamed(key[block.end() :], rules)


def _resnet_key(key: str) -> str:
    block = re.match(r"layer(\d)\.(\d+)\.", key)
    if block is None:
        return _renamed(key, _RESNET)
    rest = key[block.end() :]
    rest = re.sub(r"^(conv|bn)(\d)\.", lambda m: f"convs.{int(m.group(2)) - 1}.{m.group(1)}.", rest)
    rest = _renamed(rest, ((r"downsample\.0\.", "shortcut.conv."), (r"downsample\.1\.", "shortcut.bn.")))
    return f"stages.{int(block.group(1)) - 1}.{block.group(2)}.{rest}"


def _renamed(key: str, rules: _Rules) -> str:
    for pattern, replacement in rules:
        match = re.match(pattern, key)
        if match is not None:
            return replacement + key[match.end() :]
    return key
