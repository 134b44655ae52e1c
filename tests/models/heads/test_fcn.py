"""The segmentation head."""

from __future__ import annotations

import pytest
import torch

from runtime.models.heads.fcn import DepthwiseSeparableFCNHead


def test_logits_of_the_chosen_map() -> None:
    head = DepthwiseSeparableFCNHead(input_index=1, in_channels=6, feat_channels=8, num_classes=4)
    features = [torch.randn(2, 5, 9, 9), torch.randn(2, 6, 7, 5), torch.randn(2, 5, 3, 3)]
    assert head(features).shape == (2, 4, 7, 5)


def test_parameters() -> None:
    head = DepthwiseSeparableFCNHead(in_channels=48, feat_channels=48, num_classes=4)
    separable = (48 * 9 + 2 * 48) + (48 * 48 + 2 * 48)
    assert sum(p.numel() for p in head.parameters()) == 2 * separable + (48 * 4 + 4)


def test_dropout_is_of_channels_and_in_training_only() -> None:
    head = DepthwiseSeparableFCNHead(in_channels=4, feat_channels=64, num_classes=2, dropout_ratio=0.5)
    seen = []
    head.classify.register_forward_pre_hook(lambda _module, args: seen.append(args[0]))
    features = [torch.randn(2, 4, 6, 6)]
    head.train()(features)
    pixels_left = (seen[-1] != 0).flatten(2).sum(2)
    kept = (pixels_left > 0).float().mean().item()
    assert 0.3 < kept < 0.7
    assert torch.equal(head.eval()(features), head(features))


def test_no_convolution() -> None:
    with pytest.raises(ValueError, match="num_convs is 0"):
        DepthwiseSeparableFCNHead(in_channels=4, feat_channels=4, num_classes=2, num_convs=0)
