"""ResNet: published sizes and features."""

from __future__ import annotations

import pytest
import torch

from runtime.models.backbones.resnet import ResNet


@pytest.mark.parametrize(
    ("depth", "published"),
    [(18, 11689512), (34, 21797672), (50, 25557032)],  # torchvision's model cards
)
def test_with_top_it_has_the_published_parameters(depth, published: int) -> None:
    with torch.device("meta"):
        model = ResNet(depth=depth, include_top=True)
    assert sum(parameter.numel() for parameter in model.parameters()) == published


@pytest.mark.parametrize(
    ("depth", "channels"), [(18, [64, 64, 128, 256, 512]), (50, [64, 256, 512, 1024, 2048])]
)
@pytest.mark.parametrize("size", [(64, 96), (65, 97)])
def test_feature_info_is_what_comes_out(depth, channels: list[int], size: tuple[int, int]) -> None:
    model = ResNet(depth=depth, in_channels=5).eval()
    assert model.feature_info == list(zip(channels, [2, 4, 8, 16, 32], strict=True))
    features = model(torch.randn(1, 5, *size))
    assert [f.shape[1:] for f in features] == [
        (info.channels, -(-size[0] // info.stride), -(-size[1] // info.stride)) for info in model.feature_info
    ]


def test_unknown_depth() -> None:
    with pytest.raises(ValueError, match=r"depth is 101, expected one of \(18, 34, 50\)"):
        ResNet(depth=101)  # type: ignore[arg-type]
