"""EfficientNet: published sizes, features, multipliers."""

from __future__ import annotations

import pytest
import torch

from runtime.models.backbones.efficientnet import EfficientNet, round_channels


def parameters(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(
    ("model_type", "published"),
    # Parameter counts of timm's `efficientnet_b0` ... `efficientnet_b4`, 1000 classes.
    [("b0", 5288548), ("b1", 7794184), ("b2", 9109994), ("b3", 12233232), ("b4", 19341616)],
)
def test_with_squeeze_excite_and_top_it_has_the_published_parameters(model_type, published: int) -> None:
    with torch.device("meta"):
        model = EfficientNet(model_type=model_type, include_top=True, activation="swish", use_se_block=True)
    assert parameters(model) == published


def test_reference_form_with_top_is_efficientnet_lite0() -> None:
    model = EfficientNet(include_top=True)
    assert parameters(model) == 4652008  # timm's `efficientnet_lite0`
    assert model(torch.randn(2, 3, 64, 64)).shape == (2, 1000)


@pytest.mark.parametrize("size", [(64, 96), (65, 97)])
@pytest.mark.parametrize(
    "options", [{}, {"width_multiplier": 0.35, "depth_multiplier": 0.4}, {"model_type": "b2"}]
)
def test_feature_info_is_what_comes_out(size: tuple[int, int], options: dict) -> None:
    model = EfficientNet(in_channels=4, **options).eval()
    features = model(torch.randn(1, 4, *size))
    assert [f.shape[1:] for f in features] == [
        (info.channels, -(-size[0] // info.stride), -(-size[1] // info.stride)) for info in model.feature_info
    ]


def test_features_of_b0_are_those_of_the_paper() -> None:
    assert EfficientNet().feature_info == [(16, 2), (24, 4), (40, 8), (112, 16), (320, 32)]


def test_depth_multiplier_scales_the_blocks_of_each_stage_up_to_a_whole_number() -> None:
    assert [len(stage) for stage in EfficientNet().stages] == [1, 2, 2, 3, 3, 4, 1]
    assert [len(stage) for stage in EfficientNet(depth_multiplier=0.5).stages] == [1, 1, 1, 2, 2, 2, 1]
    assert [len(stage) for stage in EfficientNet(model_type="b1").stages] == [2, 3, 3, 4, 4, 5, 2]


@pytest.mark.parametrize(
    ("channels", "multiplier", "rounded"),
    [
        (32, 1.0, 32),
        (32, 1.1, 32),
        (320, 1.4, 448),
        (16, 0.25, 8),
        (24, 0.5, 16),
        (40, 0.5, 24),
        (1280, 1.1, 1408),
    ],
)
def test_channels_round_to_eights(channels: int, multiplier: float, rounded: int) -> None:
    assert round_channels(channels, multiplier) == rounded


def test_activation_reaches_every_convolution_but_the_projections() -> None:
    model = EfficientNet(activation="relu6")
    kinds = [type(m).__name__ for m in model.modules() if type(m).__name__.startswith(("ReLU", "SiLU"))]
    # Stem, depthwise of each of 16 blocks, expansion of all but the first.
    assert kinds == ["ReLU6"] * (1 + 16 + 15)


def test_bn_kwargs_reach_every_normalisation() -> None:
    norms = [
        m for m in EfficientNet(bn_kwargs={"eps": 2e-5}).modules() if isinstance(m, torch.nn.BatchNorm2d)
    ]
    assert {norm.eps for norm in norms} == {2e-5}


def test_residuals_pass_the_input_on() -> None:
    model = EfficientNet().eval()
    block = model.stages[1][1]
    torch.nn.init.zeros_(block.project.conv.weight)
    x = torch.randn(1, 24, 8, 8)
    torch.testing.assert_close(block(x), x)
    assert model.stages[1][0].add is None


def test_unknown_type() -> None:
    with pytest.raises(ValueError, match="model_type is 'b9', expected one of"):
        EfficientNet(model_type="b9")  # type: ignore[arg-type]
