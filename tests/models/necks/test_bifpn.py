"""BiFPN: the structure of EfficientDet's figure 2(d)."""

from __future__ import annotations

import pytest
import torch

from runtime.models.interfaces import FeatureInfo
from runtime.models.necks.bifpn import BiFPN, FusionNode

CHANNELS = {2: 16, 4: 24, 8: 40, 16: 112, 32: 320}
INFO = [FeatureInfo(c, s) for s, c in CHANNELS.items()]


def build(**changes) -> BiFPN:
    arguments = {
        "in_strides": [2, 4, 8, 16, 32],
        "out_strides": [2, 4, 8, 16, 32],
        "stride2channels": CHANNELS,
        "out_channels": 48,
        "num_outs": 5,
    }
    return BiFPN(**{**arguments, **changes})


def maps(height: int = 64, width: int = 64) -> list[torch.Tensor]:
    return [
        torch.randn(1, c, -(-height // s), -(-width // s), requires_grad=True) for s, c in CHANNELS.items()
    ]


def nodes(neck: BiFPN) -> int:
    return sum(isinstance(module, FusionNode) for module in neck.modules())


def test_reference_has_five_levels_of_48_channels() -> None:
    neck = build()
    assert neck.output_info(INFO) == [(48, s) for s in CHANNELS]
    assert [tuple(x.shape) for x in neck(maps())] == [(1, 48, 64 // s, 64 // s) for s in CHANNELS]


def test_each_stack_has_four_nodes_down_and_four_up() -> None:
    assert nodes(build()) == 3 * 8
    assert nodes(build(stack=1)) == 8


def test_parameters() -> None:
    laterals = sum(48 * c + 2 * 48 for c in CHANNELS.values())
    node = (48 * 9 + 48) + (48 * 48 + 2 * 48)  # depthwise with bias, pointwise with normalisation
    assert sum(p.numel() for p in build().parameters()) == laterals + 24 * node


def test_intermediate_levels_add_three_maps_and_the_others_two() -> None:
    neck = build(stack=1)
    added = {}
    for name, module in neck.stacks[0].named_modules():
        if name.endswith("add"):
            module.register_forward_hook(lambda _m, args, _out, name=name: added.__setitem__(name, len(args)))
    neck(maps())
    assert added == {
        **{f"top_down.stride{s}.add": 2 for s in (2, 4, 8, 16)},
        **{f"bottom_up.stride{s}.add": 3 for s in (4, 8, 16)},
        "bottom_up.stride32.add": 2,
    }


@pytest.mark.parametrize("level", range(5))
def test_every_output_depends_on_every_input(level: int) -> None:
    features = maps()
    build(stack=1).eval()(features)[level].square().sum().backward()
    assert all(x.grad is not None and x.grad.abs().sum() > 0 for x in features)


def test_only_emitting_some_levels_leaves_out_what_nobody_needs() -> None:
    neck = build(out_strides=[2])
    assert neck.feature_info == [(48, 2)]
    assert nodes(neck) == 2 * 8 + 4
    assert nodes(build(out_strides=[2, 8])) == 2 * 8 + 4 + 2
    neck(maps())[0].sum().backward()
    assert all(parameter.grad is not None for parameter in neck.parameters())


def test_left_out_nodes_do_not_change_the_others() -> None:
    whole, part = build().eval(), build(out_strides=[2, 8]).eval()
    part.load_state_dict({k: v for k, v in whole.state_dict().items() if k in part.state_dict()})
    features = maps()
    outputs = whole(features)
    for x, y in zip(part(features), [outputs[0], outputs[2]], strict=True):
        torch.testing.assert_close(x, y)


def test_extra_levels_are_max_pooled() -> None:
    neck = build(num_outs=7, out_strides=[2, 4, 8, 16, 32, 64, 128])
    assert [tuple(x.shape[-2:]) for x in neck(maps(200, 128))][-3:] == [(7, 4), (4, 2), (2, 1)]
    assert neck.feature_info[-1] == (48, 128)


def test_levels_can_be_chosen_among_the_inputs() -> None:
    neck = build(start_level=1, end_level=3, num_outs=3, out_strides=[4, 8, 16])
    assert neck.output_info(INFO) == [(48, 4), (48, 8), (48, 16)]
    assert [tuple(x.shape[-2:]) for x in neck(maps())] == [(16, 16), (8, 8), (4, 4)]


def test_odd_sizes() -> None:
    assert [tuple(x.shape[-2:]) for x in build(stack=1)(maps(100, 52))] == [
        (50, 26), (25, 13), (13, 7), (7, 4), (4, 2)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_outs": 4}, r"num_outs is 4 for inputs of strides \[2, 4, 8, 16, 32\]"),
        (
            {"out_strides": [2, 64]},
            r"out_strides is \[2, 64\], expected some of the levels \[2, 4, 8, 16, 32\]",
        ),
        ({"out_strides": [4, 2]}, "finest first"),
        ({"stride2channels": {2: 16}}, r"no channels for strides \[4, 8, 16, 32\]"),
        ({"stack": 0}, "stack is 0"),
        ({"fpn_name": "bifpn_fa"}, "fpn_name is 'bifpn_fa'"),
    ],
)
def test_impossible_arguments(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(**changes)


def test_maps_of_another_backbone() -> None:
    with pytest.raises(
        ValueError, match=r"expected maps of \(channels, stride\) .*\(320, 32\)\], got .*\(512, 32\)\]"
    ):
        build().output_info([*INFO[:4], FeatureInfo(512, 32)])
