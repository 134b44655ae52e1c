"""The BEV feature that a view transformer gives, and the step of its sampling points."""

from __future__ import annotations

from specgen.inference.features import Config, Feature

POINT_BITS = 15
MAX_FRACTION_BITS = 8


def wrapping_transformer(config: Config, inputs: list[Feature]) -> list[Feature]:
    """One map with the channels of the image feature. As the encoder's input its stride counts as 1."""
    (source,) = inputs
    return [Feature(source.channels, 1)]


def feature_size(image_size: tuple[int, int], stride: int) -> tuple[int, int]:
    """(height, width) of the feature map, in feature pixels."""
    return -(-image_size[0] // stride), -(-image_size[1] // stride)


def grid_quant_scale(image_size: tuple[int, int], stride: int) -> float:
    """Step of the sampling points, in feature pixels: the finest power of two for which int16 is enough.

    Points lie in [-1, size] on both axes, so that `max(h, w) + 2` values before the fraction are needed; more
    than eight fraction bits bring nothing.
    """
    reach = max(feature_size(image_size, stride)) + 2
    whole_bits = (reach - 1).bit_length()  # ceil(log2(reach))
    return 2.0 ** -min(max(POINT_BITS - whole_bits, 0), MAX_FRACTION_BITS)
