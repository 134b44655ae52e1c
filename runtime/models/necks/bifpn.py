"""BiFPN, the bidirectional feature pyramid of EfficientDet (Tan et al., 2020), with plain sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from torch import Tensor, nn

from runtime.models.blocks import Add, BnKwargs, ConvBNAct, Resize, SeparableConv
from runtime.models.interfaces import FeatureInfo, Neck


class FusionNode(nn.Module):
    """Sum of maps of one size, ReLU, separable convolution; the neighbour level is resized first.

    Args:
        channels: C of every map.
        direction: `up` for a coarser neighbour (nearest), `down` for a finer one (max-pool).
        bn_kwargs: see `ConvBNAct`.
    """

    def __init__(
        self, *, channels: int, direction: Literal["up", "down"], bn_kwargs: BnKwargs | None
    ) -> None:
        super().__init__()
        self.up = Resize(mode="nearest") if direction == "up" else None
        self.down = nn.MaxPool2d(3, stride=2, padding=1) if direction == "down" else None
        self.add = Add(activation="relu")
        self.conv = SeparableConv(
            in_channels=channels,
            out_channels=channels,
            depthwise_batch_norm=False,
            depthwise_activation=None,
            activation=None,
            bn_kwargs=bn_kwargs,
        )

    def forward(self, neighbour: Tensor, *maps: Tensor) -> Tensor:
        """Neighbour (B, C, h, w) and maps (B, C, H, W) to (B, C, H, W)."""
        if self.down is not None:
            neighbour = self.down(neighbour)
        if self.up is not None:
            neighbour = self.up(neighbour, (maps[0].shape[-2], maps[0].shape[-1]))
        return self.conv(self.add(*maps, neighbour))


class BiFPNStack(nn.Module):
    """One pass down the pyramid and one up.

    Args:
        strides: of the levels, finest first.
        deepest: number of levels that anything needs; coarser outputs are not computed.
        channels: C of every map.
        bn_kwargs: see `ConvBNAct`.
    """

    def __init__(
        self, *, strides: Sequence[int], deepest: int, channels: int, bn_kwargs: BnKwargs | None
    ) -> None:
        super().__init__()
        self.strides = tuple(strides)
        self.top_down = nn.ModuleDict(
            {
                f"stride{stride}": FusionNode(channels=channels, direction="up", bn_kwargs=bn_kwargs)
                for stride in reversed(self.strides[:-1])
            }
        )
        self.bottom_up = nn.ModuleDict(
            {
                f"stride{stride}": FusionNode(channels=channels, direction="down", bn_kwargs=bn_kwargs)
                for stride in self.strides[1:deepest]
            }
        )

    def forward(self, levels: Sequence[Tensor]) -> list[Tensor]:
        """One map (B, C, H, W) for each level, finest first, to the first `deepest` of them."""
        inputs = {f"stride{stride}": x for stride, x in zip(self.strides, levels, strict=True)}
        state = levels[-1]
        descended: dict[str, Tensor] = {}
        for name, node in self.top_down.items():
            state = node(state, inputs[name])
            descended[name] = state
        outputs = [state]
        for name, node in self.bottom_up.items():
            # The coarsest level has no intermediate node: there its input is the only map to add.
            maps = (inputs[name], descended[name]) if name in descended else (inputs[name],)
            state = node(state, *maps)
            outputs.append(state)
        return outputs


class BiFPN(Neck):
    """Levels of one width, fused `stack` times: nearest up, max-pool down, sums, separable convolutions.

    Levels beyond the inputs are max-pooled from the coarsest one. Nodes that no emitted level needs are not
    built.

    Args:
        in_strides: of the input maps, finest first.
        out_strides: of the emitted maps, finest first: some or all of the levels.
        stride2channels: C of the input map of each stride.
        out_channels: C of every level.
        num_outs: number of levels.
        stack: number of passes down and up.
        start_level: index of the first input used.
        end_level: index of the last input used; -1: the last there is.
        fpn_name: `bifpn_sum`, plain sums; learned weights would be a division on the chip.
        bn_kwargs: see `ConvBNAct`.

    Raises:
        ValueError: no channels for a stride, fewer levels than inputs, a stride that is no level, no stack.
    """

    def __init__(
        self,
        *,
        in_strides: Sequence[int],
        out_strides: Sequence[int],
        stride2channels: Mapping[int, int],
        out_channels: int,
        num_outs: int,
        stack: int = 3,
        start_level: int = 0,
        end_level: int = -1,
        fpn_name: Literal["bifpn_sum"] = "bifpn_sum",
        bn_kwargs: BnKwargs | None = None,
    ) -> None:
        super().__init__()
        if fpn_name != "bifpn_sum":
            raise ValueError(f"fpn_name is {fpn_name!r}, expected `bifpn_sum`")
        if stack < 1:
            raise ValueError(f"stack is {stack}, expected at least 1")
        last = len(in_strides) + end_level if end_level < 0 else end_level
        used = list(in_strides[start_level : last + 1])
        if len(used) < 1 or num_outs < max(2, len(used)):
            raise ValueError(
                f"num_outs is {num_outs} for inputs of strides {used}, expected at least one level for each "
                "input and two in all"
            )
        missing = [stride for stride in used if stride not in stride2channels]
        if missing:
            raise ValueError(f"stride2channels {dict(stride2channels)} has no channels for strides {missing}")
        strides = used + [used[-1] * 2**step for step in range(1, num_outs - len(used) + 1)]
        if list(out_strides) != sorted(set(out_strides) & set(strides)):
            raise ValueError(
                f"out_strides is {list(out_strides)}, expected some of the levels {strides}, finest first"
            )
        self.first, self.last = start_level, last
        self.emitted = tuple(strides.index(stride) for stride in out_strides)
        self.feature_info = [FeatureInfo(out_channels, stride) for stride in out_strides]
        self.input_info = [FeatureInfo(stride2channels[stride], stride) for stride in used]

        self.laterals = nn.ModuleDict(
            {
                f"stride{stride}": ConvBNAct(
                    in_channels=stride2channels[stride],
                    out_channels=out_channels,
                    activation=None,
                    bn_kwargs=bn_kwargs,
                )
                for stride in used
            }
        )
        self.extra_levels = nn.ModuleDict(
            {f"stride{stride}": nn.MaxPool2d(3, stride=2, padding=1) for stride in strides[len(used) :]}
        )
        self.stacks = nn.ModuleList(
            BiFPNStack(
                strides=strides,
                deepest=len(strides) if index + 1 < stack else self.emitted[-1] + 1,
                channels=out_channels,
                bn_kwargs=bn_kwargs,
            )
            for index in range(stack)
        )

    def output_info(self, inputs: Sequence[FeatureInfo]) -> list[FeatureInfo]:
        """What the outputs are, given what the backbone's maps are.

        Raises:
            ValueError: a used map has other channels or another stride than the arguments say.
        """
        used = list(inputs[self.first : self.last + 1])
        if used != self.input_info:
            raise ValueError(
                f"BiFPN: expected maps of (channels, stride) {[tuple(i) for i in self.input_info]}, got "
                f"{[tuple(i) for i in used]}"
            )
        return list(self.feature_info)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Maps of the backbone, finest first, to (B, out_channels, H_s, W_s) for each of `out_strides`."""
        used = features[self.first : self.last + 1]
        levels = [lateral(x) for lateral, x in zip(self.laterals.values(), used, strict=True)]
        for pool in self.extra_levels.values():
            levels.append(pool(levels[-1]))
        for stack in self.stacks:
            levels = stack(levels)
        return [levels[index] for index in self.emitted]
