"""What the parts of a model promise each other: the contract for a new backbone, neck or BEV decoder."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn


class FeatureInfo(NamedTuple):
    """Channels and stride of one map of a backbone or neck.

    Args:
        channels: C of the (B, C, H, W) map.
        stride: input pixels a feature pixel; an input of n pixels gives ceil(n / stride).
    """

    channels: int
    stride: int


class Backbone(nn.Module):
    """(B, C, H, W) to a list of maps, finest first, that `feature_info` describes."""

    feature_info: list[FeatureInfo]

    def convert_pretrained(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Tensors of a public file under the names that this backbone has; unknown keys keep their names."""
        return dict(weights)


class Neck(nn.Module):
    """A list of maps to a list of maps."""

    @abstractmethod
    def output_info(self, inputs: Sequence[FeatureInfo]) -> list[FeatureInfo]:
        """What the outputs are, given what the inputs are.

        Raises:
            ValueError: the inputs are not those that the neck was built for.
        """


class BevDecoder(nn.Module):
    """BEV features to the losses, the raw outputs and the results of one task.

    Args:
        name: key of the results and prefix of the losses.
        task_weight: factor of the losses.
    """

    def __init__(self, *, name: str, task_weight: float) -> None:
        super().__init__()
        self.name = name
        self.task_weight = task_weight

    @abstractmethod
    def bind_features(self, shapes: Sequence[tuple[int, int]]) -> None:
        """Told once, when the model is assembled: (H, W) of each map of the BEV encoder."""

    @abstractmethod
    def losses(self, features: Sequence[Tensor], batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Weighted scalar losses, named `<name>/<loss>`."""

    @abstractmethod
    def raw_outputs(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """What the deployed network gives out, each under a name of its own."""

    @abstractmethod
    def decode(self, raw: Mapping[str, Tensor]) -> Any:
        """Results of the task from (at least) its raw outputs; runs on the host when deployed."""
