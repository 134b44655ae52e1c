"""Patches times weights are the layer's own results at the pixels of the patches."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from runtime.quantization.modules.conv import QuantizedConv, QuantizedLinear, WeightedModule
from runtime.quantization.refinement.sampled_patches import PatchSampler

LAYERS = {
    "pointwise": nn.Conv2d(6, 5, 1),
    "strided": nn.Conv2d(6, 4, 3, stride=2, padding=1),
    "depthwise": nn.Conv2d(6, 6, 3, padding=1, groups=6),
    "grouped": nn.Conv2d(6, 4, (3, 1), stride=(1, 2), padding=(1, 0), groups=2),
    "dilated": nn.Conv2d(6, 3, 3, padding=2, dilation=2),
}


def quantised(layer: nn.Module) -> WeightedModule:
    return (
        QuantizedConv("layer", layer)
        if isinstance(layer, nn.Conv2d)
        else QuantizedLinear("layer", layer, None)
    )


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_all_pixels_of_a_convolution(kind: str) -> None:
    layer = quantised(LAYERS[kind])
    x = torch.randn(2, 6, 7, 9)
    expected = layer.real(x).transpose(0, 1).flatten(1)
    sampler = PatchSampler(layer, seed=0, rows=10_000)
    weight, bias = sampler.grouped(layer.layer.weight), sampler.grouped(layer.bias)
    found = torch.baddbmm(bias[:, None], sampler.patches(x, 0), weight.transpose(1, 2))
    found = found.transpose(1, 2).flatten(0, 1)
    # All pixels, in an order of the sampler's own; each channel's results are told apart by their values.
    torch.testing.assert_close(found.sort(dim=1).values, expected.sort(dim=1).values, rtol=1e-4, atol=1e-5)
    assert torch.equal(sampler.ungrouped(weight), layer.layer.weight)


def test_linear() -> None:
    layer = quantised(nn.Linear(6, 4))
    x = torch.randn(9, 6)
    sampler = PatchSampler(layer, seed=0, rows=9)
    found = sampler.patches(x, 0)[0] @ sampler.grouped(layer.layer.weight)[0].T + layer.bias
    torch.testing.assert_close(found.sort(dim=0).values, layer.real(x).sort(dim=0).values)


def test_pixels_follow_from_seed_and_batch() -> None:
    layer = quantised(LAYERS["pointwise"])
    x, other = torch.randn(2, 6, 7, 9), torch.randn(2, 6, 7, 9)
    sampler = PatchSampler(layer, seed=3, rows=16)
    first = sampler.patches(x, 0)
    assert first.shape == (1, 16, 6)
    # The same pixels of other values, as the float and the fixed-point pass need them.
    assert torch.equal(
        sampler.patches(x + other, 0), PatchSampler(layer, seed=3, rows=16).patches(x + other, 0)
    )
    torch.testing.assert_close(sampler.patches(x + other, 0), first + sampler.patches(other, 0))
    assert not torch.equal(sampler.patches(x, 1), first)
    assert not torch.equal(PatchSampler(layer, seed=4, rows=16).patches(x, 0), first)
