"""The BEV encoder: a backbone and a neck on the BEV map."""

from __future__ import annotations

from torch import Tensor, nn

from runtime.models.interfaces import Backbone, FeatureInfo, Neck


class BevEncoder(nn.Module):
    """A backbone whose maps a neck mixes.

    Args:
        backbone: (B, C, H, W) to a list of maps, with `feature_info`.
        neck: list of maps to list of maps, with `output_info`.

    Raises:
        ValueError: the neck does not fit the backbone's maps.
    """

    def __init__(self, *, backbone: Backbone, neck: Neck) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = neck
        self.feature_info: list[FeatureInfo] = neck.output_info(backbone.feature_info)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) to the maps of `feature_info`, finest first."""
        return self.neck(self.backbone(x))
