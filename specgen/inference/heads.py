"""Maps that the heads of the tasks give."""

from __future__ import annotations

from specgen.inference.features import Config, Feature


def fcn_head(config: Config, inputs: list[Feature]) -> list[Feature]:
    """One map with a channel a class."""
    (source,) = inputs
    return [Feature(config["num_classes"], source.stride)]


def center_point_head(config: Config, inputs: list[Feature]) -> list[Feature]:
    """For each task the branches in the order of `common_heads`, then the heatmap with a channel a class."""
    (source,) = inputs
    branches = [Feature(channels, source.stride) for channels, _ in config["common_heads"].values()]
    return [
        feature
        for classes in config["tasks"]
        for feature in (*branches, Feature(len(classes), source.stride))
    ]
