"""Feature maps of the necks, and what they must be told of the maps that come in."""

from __future__ import annotations

from specgen.inference.features import Config, Feature


class NoSuchMap(Exception):
    """An index of the spec points at a map that does not exist; a rule reports it at its place."""


def pick(features: list[Feature], index: int) -> Feature:
    """The map at `index`, negative ones counted from the end.

    Raises:
        NoSuchMap: there is none.
    """
    if not -len(features) <= index < len(features):
        raise NoSuchMap
    return features[index]


def fast_scnn(config: Config, inputs: list[Feature]) -> list[Feature]:
    """One map for each of `indexes`, coarsest first."""
    chosen = [pick(inputs, index) for index in config["indexes"]]
    channels = config["feat_channels"]
    if len(channels) != len(chosen):
        raise NoSuchMap
    return [Feature(width, feature.stride) for width, feature in zip(channels, chosen, strict=True)][::-1]


def bifpn(config: Config, inputs: list[Feature]) -> list[Feature]:
    """One map of `out_channels` for each of `out_strides`, finest first; without these for every level."""
    levels = bifpn_levels(config, inputs)
    strides = config.get("out_strides") or levels
    if any(stride not in levels for stride in strides):
        raise NoSuchMap
    return [Feature(config["out_channels"], stride) for stride in strides]


def bifpn_levels(config: Config, inputs: list[Feature]) -> list[int]:
    """Strides of all levels: those of the inputs used, then doubled for each further one.

    Raises:
        NoSuchMap: the inputs do not exist, or more of them are used than there are levels.
    """
    start, end, number = config.get("start_level", 0), config.get("end_level", -1), config["num_outs"]
    last = len(inputs) + end if end < 0 else end
    if not 0 <= start <= last < len(inputs) or last - start + 1 > number:
        raise NoSuchMap
    strides = [feature.stride for feature in inputs[start : last + 1]]
    while len(strides) < number:
        strides.append(2 * strides[-1])
    return strides
