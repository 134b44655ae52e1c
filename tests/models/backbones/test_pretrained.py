"""Public weights under our names: the loaded model computes what the public layout says.

The public models are written out here once more, as functions of their state dicts, from their published
definitions.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from runtime.models.backbones.efficientnet import EfficientNet
from runtime.models.backbones.resnet import ResNet

State = dict[str, Tensor]


def _norm(state: State, name: str, channels: int) -> None:
    state[f"{name}.weight"] = torch.rand(channels) + 0.5
    state[f"{name}.bias"] = torch.randn(channels) * 0.1
    state[f"{name}.running_mean"] = torch.randn(channels) * 0.1
    state[f"{name}.running_var"] = torch.rand(channels) + 0.5
    state[f"{name}.num_batches_tracked"] = torch.tensor(7)


def _conv(state: State, name: str, out: int, inputs: int, kernel: int) -> None:
    state[f"{name}.weight"] = torch.randn(out, inputs, kernel, kernel) * (2 / (inputs * kernel**2)) ** 0.5


def _bn(state: State, name: str, x: Tensor) -> Tensor:
    mean, var = state[f"{name}.running_mean"], state[f"{name}.running_var"]
    return F.batch_norm(x, mean, var, state[f"{name}.weight"], state[f"{name}.bias"])


# Expansion, channels, blocks, kernel, stride: EfficientNet-B0 and -Lite0.
LITE0 = [
    (1, 16, 1, 3, 1),
    (6, 24, 2, 3, 2),
    (6, 40, 2, 5, 2),
    (6, 80, 3, 3, 2),
    (6, 112, 3, 5, 1),
    (6, 192, 4, 5, 2),
]
LITE0 += [(6, 320, 1, 3, 1)]


def timm_lite0_state() -> State:
    state: State = {}
    _conv(state, "conv_stem", 32, 3, 3)
    _norm(state, "bn1", 32)
    channels = 32
    for stage, (expand, out, blocks, kernel, _) in enumerate(LITE0):
        for number in range(blocks):
            name, hidden = f"blocks.{stage}.{number}", channels * expand
            if expand == 1:
                _conv(state, f"{name}.conv_dw", hidden, 1, kernel)
                _norm(state, f"{name}.bn1", hidden)
                _conv(state, f"{name}.conv_pw", out, hidden, 1)
                _norm(state, f"{name}.bn2", out)
            else:
                _conv(state, f"{name}.conv_pw", hidden, channels, 1)
                _norm(state, f"{name}.bn1", hidden)
                _conv(state, f"{name}.conv_dw", hidden, 1, kernel)
                _norm(state, f"{name}.bn2", hidden)
                _conv(state, f"{name}.conv_pwl", out, hidden, 1)
                _norm(state, f"{name}.bn3", out)
            channels = out
    _conv(state, "conv_head", 1280, channels, 1)
    _norm(state, "bn2", 1280)
    state["classifier.weight"], state["classifier.bias"] = torch.randn(1000, 1280) * 0.02, torch.randn(1000)
    return state


def timm_lite0(state: State, x: Tensor) -> Tensor:
    x = F.relu6(_bn(state, "bn1", F.conv2d(x, state["conv_stem.weight"], stride=2, padding=1)))
    for stage, (expand, _, blocks, kernel, stride) in enumerate(LITE0):
        for number in range(blocks):
            name, y = f"blocks.{stage}.{number}", x
            step = stride if number == 0 else 1
            if expand != 1:
                y = F.relu6(_bn(state, f"{name}.bn1", F.conv2d(y, state[f"{name}.conv_pw.weight"])))
            depthwise = state[f"{name}.conv_dw.weight"]
            y = F.conv2d(y, depthwise, stride=step, padding=kernel // 2, groups=len(depthwise))
            y = F.relu6(_bn(state, f"{name}.bn{1 if expand == 1 else 2}", y))
            last = "conv_pw" if expand == 1 else "conv_pwl"
            y = _bn(state, f"{name}.bn{2 if expand == 1 else 3}", F.conv2d(y, state[f"{name}.{last}.weight"]))
            x = y + x if step == 1 and y.shape == x.shape else y
    x = F.relu6(_bn(state, "bn2", F.conv2d(x, state["conv_head.weight"])))
    return F.linear(x.mean((2, 3)), state["classifier.weight"], state["classifier.bias"])


def resnet_state(blocks: list[int], bottleneck: bool) -> State:
    state: State = {}
    _conv(state, "conv1", 64, 3, 7)
    _norm(state, "bn1", 64)
    channels = 64
    for stage, number in enumerate(blocks):
        width = 64 * 2**stage
        out = 4 * width if bottleneck else width
        for index in range(number):
            name = f"layer{stage + 1}.{index}"
            shapes = (
                [(width, channels, 1), (width, width, 3), (out, width, 1)]
                if bottleneck
                else [(width, channels, 3), (out, width, 3)]
            )
            for position, shape in enumerate(shapes, 1):
                _conv(state, f"{name}.conv{position}", *shape)
                _norm(state, f"{name}.bn{position}", shape[0])
            if index == 0 and (stage > 0 or channels != out):
                _conv(state, f"{name}.downsample.0", out, channels, 1)
                _norm(state, f"{name}.downsample.1", out)
            channels = out
    state["fc.weight"], state["fc.bias"] = torch.randn(1000, channels) * 0.02, torch.randn(1000)
    return state


def resnet(state: State, blocks: list[int], bottleneck: bool, x: Tensor) -> Tensor:
    x = F.relu(_bn(state, "bn1", F.conv2d(x, state["conv1.weight"], stride=2, padding=3)))
    x = F.max_pool2d(x, 3, stride=2, padding=1)
    for stage, number in enumerate(blocks):
        for index in range(number):
            name, y, shortcut = f"layer{stage + 1}.{index}", x, x
            stride = 2 if stage > 0 and index == 0 else 1
            for position in (1, 2, 3) if bottleneck else (1, 2):
                weight = state[f"{name}.conv{position}.weight"]
                step = stride if position == (2 if bottleneck else 1) else 1
                y = _bn(
                    state,
                    f"{name}.bn{position}",
                    F.conv2d(y, weight, stride=step, padding=weight.shape[-1] // 2),
                )
                if position < (3 if bottleneck else 2):
                    y = F.relu(y)
            if f"{name}.downsample.0.weight" in state:
                shortcut = F.conv2d(x, state[f"{name}.downsample.0.weight"], stride=stride)
                shortcut = _bn(state, f"{name}.downsample.1", shortcut)
            x = F.relu(y + shortcut)
    return F.linear(x.mean((2, 3)), state["fc.weight"], state["fc.bias"])


def test_timm_efficientnet_lite0() -> None:
    state = timm_lite0_state()
    model = EfficientNet(include_top=True, activation="relu6").eval()
    model.load_state_dict(model.convert_pretrained(state), strict=True)
    x = torch.randn(2, 3, 64, 96)
    torch.testing.assert_close(model(x), timm_lite0(state, x), rtol=1e-3, atol=1e-3)


def test_timm_keys_of_squeeze_excite() -> None:
    model = EfficientNet(use_se_block=True)
    own = "stages.1.0.se.reduce.conv.weight"
    converted = model.convert_pretrained(
        {
            "blocks.0.0.se.conv_expand.bias": torch.zeros(1),
            "blocks.1.0.se.conv_reduce.weight": torch.zeros(1),
            "blocks.1.0.conv_pwl.weight": torch.zeros(1),
        }
    )
    assert set(converted) == {"stages.0.0.se.expand.conv.bias", own, "stages.1.0.project.conv.weight"}
    assert set(converted) < set(model.state_dict())


def test_resnet18() -> None:
    state = resnet_state([2, 2, 2, 2], bottleneck=False)
    model = ResNet(depth=18, include_top=True).eval()
    model.load_state_dict(model.convert_pretrained(state), strict=True)
    x = torch.randn(2, 3, 64, 64)
    expected = resnet(state, [2, 2, 2, 2], False, x)
    torch.testing.assert_close(model(x), expected, rtol=1e-3, atol=1e-3)


def test_resnet50() -> None:
    state = resnet_state([3, 4, 6, 3], bottleneck=True)
    model = ResNet(depth=50, include_top=True).eval()
    model.load_state_dict(model.convert_pretrained(state), strict=True)
    x = torch.randn(1, 3, 64, 64)
    expected = resnet(state, [3, 4, 6, 3], True, x)
    torch.testing.assert_close(
        model(x) / expected.abs().max(), expected / expected.abs().max(), rtol=0, atol=1e-4
    )


def test_keys_without_counterpart_keep_their_names() -> None:
    unknown = {"something.else": torch.zeros(1)}
    assert EfficientNet().convert_pretrained(unknown) == unknown
    assert ResNet(depth=18).convert_pretrained(unknown) == unknown
