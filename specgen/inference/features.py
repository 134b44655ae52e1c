"""What flows between the parts of a model, as far as the compiler knows it: channels and strides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Config = Mapping[str, Any]


class Feature(NamedTuple):
    """One feature map.

    Args:
        channels: C of the (B, C, H, W) map.
        stride: input pixels per pixel of the map. The input is an image before the view transformer, and
            the grid that the view transformer gives after it.
    """

    channels: int
    stride: int

    def __str__(self) -> str:
        return f"{self.channels}@{self.stride}"


def show(features: Iterable[Feature]) -> str:
    """`40@8, 320@32`: how feature maps are written in messages and graphs."""
    return ", ".join(str(feature) for feature in features)
