"""Folding changes no function."""

from __future__ import annotations

import pytest
import torch
from small_networks import EveryOperation, random_inputs, with_statistics
from torch import nn

from runtime.models.blocks import ConvBNAct
from runtime.quantization.fold_bn import fold_batch_norm


def test_the_function_stays() -> None:
    network = with_statistics(EveryOperation())
    inputs = random_inputs()
    with torch.no_grad():
        before = network(*inputs)
        fold_batch_norm(network)
        after = network(*inputs)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    for key, value in before.items():
        torch.testing.assert_close(after[key], value, rtol=1e-4, atol=1e-5)


def test_against_the_formula() -> None:
    block = ConvBNAct(in_channels=1, out_channels=1, bn_kwargs={"eps": 0.25})
    block.conv.weight.data.fill_(2.0)
    block.bn.running_mean.fill_(3.0)
    block.bn.running_var.fill_(3.75)
    block.bn.weight.data.fill_(4.0)
    block.bn.bias.data.fill_(5.0)
    fold_batch_norm(block)
    # 2 * 4 / sqrt(3.75 + 0.25) and (0 - 3) * 4 / 2 + 5
    assert block.conv.weight.item() == pytest.approx(4.0)
    assert block.conv.bias.item() == pytest.approx(-1.0)


def test_a_normalisation_without_statistics() -> None:
    block = ConvBNAct(in_channels=1, out_channels=1)
    block.bn = nn.BatchNorm2d(1, track_running_stats=False)
    with pytest.raises(ValueError, match="without running statistics"):
        fold_batch_norm(block)
