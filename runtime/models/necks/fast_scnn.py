"""Pyramid pooling and feature fusion as in Fast-SCNN (Poudel et al., 2019)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from runtime.models.blocks import Add, BinAvgPool, BnKwargs, Concat, ConvBNAct, Resize, SeparableConv
from runtime.models.interfaces import FeatureInfo, Neck


class PyramidPooling(nn.Module):
    """Context of several sizes, next to each pixel (Zhao et al., "Pyramid Scene Parsing Network", 2017).

    Args:
        in_channels: C of the input; each branch has C / 4.
        out_channels: C of the output.
        bins: average pooled values along a side, one branch each.
        bn_kwargs: see `ConvBNAct`.
    """

    def __init__(
        self, *, in_channels: int, out_channels: int, bins: Sequence[int], bn_kwargs: BnKwargs | None
    ) -> None:
        super().__init__()
        branch_channels = max(1, in_channels // 4)
        self.pools = nn.ModuleList(BinAvgPool(bins=number) for number in bins)
        self.convs = nn.ModuleList(
            ConvBNAct(in_channels=in_channels, out_channels=branch_channels, bn_kwargs=bn_kwargs)
            for _ in bins
        )
        self.resizes = nn.ModuleList(Resize(mode="bilinear") for _ in bins)
        self.concat = Concat()
        self.fuse = ConvBNAct(
            in_channels=in_channels + branch_channels * len(bins),
            out_channels=out_channels,
            kernel_size=3,
            bn_kwargs=bn_kwargs,
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) to (B, out_channels, H, W)."""
        size = (x.shape[-2], x.shape[-1])
        branches = [
            resize(conv(pool(x)), size)
            for pool, conv, resize in zip(self.pools, self.convs, self.resizes, strict=True)
        ]
        return self.fuse(self.concat(x, *branches))


class FeatureFusion(nn.Module):
    """A coarse map, up-sampled, added to a finer one.

    Args:
        deep_channels: C of the coarse map.
        shallow_channels: C of the fine map.
        out_channels: C of the output.
        num_convs: separable convolutions after the sum.
        bn_kwargs: see `ConvBNAct`.
    """

    def __init__(
        self,
        *,
        deep_channels: int,
        shallow_channels: int,
        out_channels: int,
        num_convs: int = 2,
        bn_kwargs: BnKwargs | None,
    ) -> None:
        super().__init__()
        self.resize = Resize(mode="bilinear")
        self.deep = SeparableConv(
            in_channels=deep_channels, out_channels=out_channels, activation=None, bn_kwargs=bn_kwargs
        )
        self.shallow = ConvBNAct(
            in_channels=shallow_channels, out_channels=out_channels, activation=None, bn_kwargs=bn_kwargs
        )
        self.add = Add(activation="relu")
        self.convs = nn.Sequential(
            *(
                SeparableConv(in_channels=out_channels, out_channels=out_channels, bn_kwargs=bn_kwargs)
                for _ in range(num_convs)
            )
        )

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        """(B, deep_channels, h, w) and (B, shallow_channels, H, W) to (B, out_channels, H, W)."""
        up = self.resize(deep, (shallow.shape[-2], shallow.shape[-1]))
        return self.convs(self.add(self.deep(up), self.shallow(shallow)))


class FastSCNNNeck(Neck):
    """Pyramid pooling of the deepest chosen map, then one fusion with each shallower one.

    Args:
        in_channels: C of the chosen maps, in the order of `indexes`.
        feat_channels: C of the outputs, in the order of `indexes`.
        indexes: positions of the chosen maps in the input list, shallowest first: `[-3, -1]`.
        bn_kwargs: see `ConvBNAct`.
        pool_bins: bins of the pyramid pooling.

    Raises:
        ValueError: the three lists differ in length or are empty.
    """

    def __init__(
        self,
        *,
        in_channels: Sequence[int],
        feat_channels: Sequence[int],
        indexes: Sequence[int],
        bn_kwargs: BnKwargs | None = None,
        pool_bins: Sequence[int] = (1, 2, 4, 8),
    ) -> None:
        super().__init__()
        if not len(in_channels) == len(feat_channels) == len(indexes) or not indexes:
            raise ValueError(
                f"in_channels {list(in_channels)}, feat_channels {list(feat_channels)} and indexes "
                f"{list(indexes)} must have one entry for each chosen map"
            )
        self.indexes = tuple(indexes)
        self.in_channels = tuple(in_channels)
        self.feat_channels = tuple(feat_channels)
        self.pyramid = PyramidPooling(
            in_channels=in_channels[-1],
            out_channels=feat_channels[-1],
            bins=pool_bins,
            bn_kwargs=bn_kwargs,
        )
        # Deepest first, in the order of computation.
        self.fusions = nn.ModuleList(
            FeatureFusion(
                deep_channels=feat_channels[position + 1],
                shallow_channels=in_channels[position],
                out_channels=feat_channels[position],
                bn_kwargs=bn_kwargs,
            )
            for position in reversed(range(len(indexes) - 1))
        )

    def output_info(self, inputs: Sequence[FeatureInfo]) -> list[FeatureInfo]:
        """What the outputs are, given what the backbone's maps are.

        Raises:
            ValueError: a chosen map has other channels than `in_channels` says.
        """
        chosen = [inputs[index] for index in self.indexes]
        if tuple(info.channels for info in chosen) != self.in_channels:
            raise ValueError(
                f"FastSCNNNeck: in_channels is {list(self.in_channels)}, the maps {list(self.indexes)} have "
                f"{[info.channels for info in chosen]} channels"
            )
        return [
            FeatureInfo(channels, info.stride)
            for channels, info in zip(reversed(self.feat_channels), reversed(chosen), strict=True)
        ]

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Maps of the backbone, finest first, to one map an index, coarsest first: `[-1]` is the finest."""
        chosen = [features[index] for index in self.indexes]
        outputs = [self.pyramid(chosen[-1])]
        for fusion, shallow in zip(self.fusions, reversed(chosen[:-1]), strict=True):
            outputs.append(fusion(outputs[-1], shallow))
        return outputs
