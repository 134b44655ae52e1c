"""CenterPoint's detection head (Yin et al., "Center-based 3D Object Detection and Tracking", 2021)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from runtime.models.blocks import BnKwargs, ConvBNAct

HEATMAP = "heatmap"
# The prior of CornerNet and RetinaNet: a heatmap that starts at sigmoid(-2.19) = 0.1 everywhere.
HEATMAP_BIAS = -2.19


class TaskBranches(nn.Module):
    """The branches of one task: convolutions with normalisation, then one with a bias, for each quantity.

    The first convolutions of all branches read the same map; they are one convolution here, whose channels
    are then dealt out. The function is that of separate ones; many small convolutions are slow on every
    machine.

    Args:
        in_channels: C of the input.
        hidden_channels: C between the convolutions of one branch.
        quantities: for each (values a cell, convolutions of its branch).
        final_kernel: side of the last kernel of each branch.
        bn_kwargs: see `ConvBNAct`.

    Raises:
        ValueError: a branch without convolution.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        hidden_channels: int,
        quantities: Mapping[str, tuple[int, int]],
        final_kernel: int,
        bn_kwargs: BnKwargs | None,
    ) -> None:
        super().__init__()
        for name, (_, num_convs) in quantities.items():
            if num_convs < 1:
                raise ValueError(f"branch `{name}` has {num_convs} convolutions, expected at least 1")
        self.hidden_channels = hidden_channels
        self.stacked = tuple(name for name, (_, num_convs) in quantities.items() if num_convs > 1)
        self.first = (
            ConvBNAct(
                in_channels=in_channels,
                out_channels=hidden_channels * len(self.stacked),
                kernel_size=3,
                bn_kwargs=bn_kwargs,
            )
            if self.stacked
            else None
        )
        self.branches = nn.ModuleDict()
        for name, (channels, num_convs) in quantities.items():
            branch = nn.Sequential()
            for _ in range(num_convs - 2):
                branch.append(
                    ConvBNAct(
                        in_channels=hidden_channels,
                        out_channels=hidden_channels,
                        kernel_size=3,
                        bn_kwargs=bn_kwargs,
                    )
                )
            last = nn.Conv2d(
                hidden_channels if num_convs > 1 else in_channels,
                channels,
                final_kernel,
                padding=final_kernel // 2,
            )
            if name == HEATMAP and last.bias is not None:
                nn.init.constant_(last.bias, HEATMAP_BIAS)
            self.branches[name] = branch.append(last)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """(B, in_channels, H, W) to (B, c, H, W) a quantity."""
        hidden: dict[str, Tensor] = {}
        if self.first is not None:
            hidden = dict(zip(self.stacked, self.first(x).split(self.hidden_channels, dim=1), strict=True))
        return {name: branch(hidden.get(name, x)) for name, branch in self.branches.items()}


class CenterPoint3dHead(nn.Module):
    """A shared convolution, then for each task (group of classes) one branch a quantity.

    Args:
        in_channels: C of the used map.
        tasks: class names of each task: the heatmap of a task has one channel for each.
        share_conv_channels: C of the shared convolutions.
        share_conv_num: number of the shared convolutions.
        common_heads: for each regressed quantity (channels, convolutions of its branch).
        head_conv_channels: C inside the branches.
        num_heatmap_convs: convolutions of the heatmap branch.
        final_kernel: side of the last kernel of each branch.
        bn_kwargs: see `ConvBNAct`.
        input_index: which of the given maps is used.

    Raises:
        ValueError: no task, a task without classes, or a quantity named `heatmap`.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        tasks: Sequence[Sequence[str]],
        share_conv_channels: int = 48,
        share_conv_num: int = 1,
        common_heads: Mapping[str, Sequence[int]],
        head_conv_channels: int = 48,
        num_heatmap_convs: int = 2,
        final_kernel: int = 3,
        bn_kwargs: BnKwargs | None = None,
        input_index: int = 0,
    ) -> None:
        super().__init__()
        if not tasks or not all(tasks):
            raise ValueError(f"tasks is {[list(task) for task in tasks]}, expected class names for each task")
        if HEATMAP in common_heads:
            raise ValueError("common_heads has `heatmap`, which every task has by itself")
        self.input_index = input_index
        self.in_channels = in_channels
        self.shared = nn.Sequential(
            *(
                ConvBNAct(
                    in_channels=in_channels if index == 0 else share_conv_channels,
                    out_channels=share_conv_channels,
                    kernel_size=3,
                    bn_kwargs=bn_kwargs,
                )
                for index in range(share_conv_num)
            )
        )

        common = {name: (channels, num_convs) for name, (channels, num_convs) in common_heads.items()}
        self.tasks = nn.ModuleList(
            TaskBranches(
                in_channels=share_conv_channels if share_conv_num else in_channels,
                hidden_channels=head_conv_channels,
                quantities={**common, HEATMAP: (len(classes), num_heatmap_convs)},
                final_kernel=final_kernel,
                bn_kwargs=bn_kwargs,
            )
            for classes in tasks
        )

    def forward(self, features: Sequence[Tensor]) -> list[dict[str, Tensor]]:
        """List of maps, of which (B, in_channels, H, W) is used, to (B, c, H, W) a quantity for each task.

        `heatmap` holds logits.
        """
        x = self.shared(features[self.input_index])
        return [task(x) for task in self.tasks]
