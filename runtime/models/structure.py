"""The whole BEV model: six cameras in, several tasks out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from runtime.models.bev_encoder import BevEncoder
from runtime.models.blocks import Input
from runtime.models.interfaces import Backbone, BevDecoder, FeatureInfo, Neck
from runtime.models.view_transforms.wrapping import WrappingTransformer

Batch = Mapping[str, Any]
BevTransform = Callable[[Tensor, Batch], tuple[Tensor, Batch]]


class BevStructure(nn.Module):
    """backbone -> neck -> view transformer -> BEV transforms (training) -> BEV encoder -> decoders.

    One class serves training (named losses), evaluation (decoded results) and deployment (`raw_outputs`).

    Args:
        backbone: images (B * V, 3, H, W) to maps.
        neck: maps to maps.
        view_transformer: one of these maps to a BEV map.
        bev_transforms: augmentations of BEV map and labels together.
        bev_encoder: BEV map to BEV maps.
        bev_decoders: one for each task, with different names.
        bev_feat_index: which map of the neck the view transformer gets.

    Raises:
        ValueError: parts that do not fit each other; names that repeat.
    """

    def __init__(
        self,
        *,
        backbone: Backbone,
        neck: Neck,
        view_transformer: WrappingTransformer,
        bev_transforms: Sequence[BevTransform] = (),
        bev_encoder: BevEncoder,
        bev_decoders: Sequence[BevDecoder],
        bev_feat_index: int = -1,
    ) -> None:
        super().__init__()
        self.image_feature: FeatureInfo = neck.output_info(backbone.feature_info)[bev_feat_index]
        if view_transformer.in_stride != self.image_feature.stride:
            raise ValueError(
                f"view_transformer: in_stride is {view_transformer.in_stride}, map {bev_feat_index} of the "
                f"neck has stride {self.image_feature.stride}"
            )
        names = [decoder.name for decoder in bev_decoders]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"bev_decoders: expected one or more decoders with different names, got {names}")
        self.img = Input()
        self.backbone = backbone
        self.neck = neck
        self.view_transformer = view_transformer
        # Not a ModuleList: they have no parameters and are no part of the deployed network.
        self.bev_transforms = tuple(bev_transforms)
        self.bev_encoder = bev_encoder
        self.bev_decoders = nn.ModuleDict({decoder.name: decoder for decoder in bev_decoders})
        self.bev_feat_index = bev_feat_index
        shapes = [
            (
                math.ceil(view_transformer.out_shape[0] / stride),
                math.ceil(view_transformer.out_shape[1] / stride),
            )
            for _, stride in bev_encoder.feature_info
        ]
        for decoder in bev_decoders:
            decoder.bind_features(shapes)

    def forward(self, batch: Batch) -> dict[str, Any]:
        """Losses in training, results otherwise.

        Args:
            batch: `img` (B * V, 3, H, W), `ego2img` (B, V, 4, 4) float64, and in training what the decoders
                need.

        Returns:
            in training weighted scalars, named `<decoder>/<loss>`; otherwise the results of each decoder by
            its name.
        """
        if self.training:
            return self.losses(batch)
        return self.decode(self.raw_outputs(*self.deployed_inputs(batch)))

    def deployed_inputs(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The two inputs of the deployed network: images (B * V, 3, H, W), points (B * V, h, w, 2)."""
        img = batch["img"]
        points = self.view_transformer.points(
            batch["ego2img"], image_size=(img.shape[-2], img.shape[-1]), device=img.device
        )
        return img, points

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Weighted scalar losses of all decoders; the BEV transforms take part in training mode only."""
        bev = self.bev_feature(*self.deployed_inputs(batch))
        for transform in self.bev_transforms if self.training else ():
            bev, batch = transform(bev, batch)
        features = self.bev_encoder(_channels_last(bev))
        losses: dict[str, Tensor] = {}
        for decoder in self.decoders():
            losses.update(decoder.losses(features, batch))
        return losses

    def decoders(self) -> list[BevDecoder]:
        """The decoders, in order."""
        return list(self.bev_decoders.values())  # type: ignore[arg-type]

    def bev_feature(self, img: Tensor, points: Tensor) -> Tensor:
        """Images (B * V, 3, H, W) and points (B * V, h, w, 2) to the BEV map (B, C, h * up, w * up)."""
        features = self.neck(self.backbone(self.img(_channels_last(img))))
        return self.view_transformer(features[self.bev_feat_index], points)

    def raw_outputs(self, img: Tensor, points: Tensor) -> dict[str, Tensor]:
        """The deployed network: images and sampling points to the raw outputs of all decoders.

        A function of its two arguments only, so that a new camera rig needs new points, not a new network.
        """
        features = self.bev_encoder(_channels_last(self.bev_feature(img, points)))
        raw: dict[str, Tensor] = {}
        for decoder in self.decoders():
            raw.update(decoder.raw_outputs(features))
        return raw

    def decode(self, raw: Mapping[str, Tensor]) -> dict[str, Any]:
        """Results of each decoder by its name, from the deployed network's outputs."""
        return {decoder.name: decoder.decode(raw) for decoder in self.decoders()}


def _channels_last(x: Tensor) -> Tensor:
    """The same values with channels innermost in memory.

    Convolutions keep that order, and on CPUs run up to twice as fast in it.
    """
    if torch.compiler.is_compiling():
        return x  # an order in memory is nothing that a graph should speak of
    return x.contiguous(memory_format=torch.channels_last)


class DeployedModel(nn.Module):
    """`BevStructure.raw_outputs` as a module, for `torch.export`: the very same parameters, no second model.

    Args:
        model: put into evaluation mode by its owner.
    """

    def __init__(self, model: BevStructure) -> None:
        super().__init__()
        self.model = model

    def forward(self, img: Tensor, points: Tensor) -> dict[str, Tensor]:
        """See `BevStructure.raw_outputs`."""
        return self.model.raw_outputs(img, points)
