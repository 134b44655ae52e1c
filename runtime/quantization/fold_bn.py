"""Batch normalisation becomes part of the convolution before it."""

from __future__ import annotations

import torch
from torch import nn

from runtime.models.blocks import ConvBNAct


def fold_batch_norm(model: nn.Module) -> nn.Module:
    """Fold every `ConvBNAct` in place and return the model; the function in evaluation stays the same.

    w' = w g / sqrt(var + eps), b' = (b - mean) g / sqrt(var + eps) + beta, in float64.
    """
    for module in model.modules():
        if isinstance(module, ConvBNAct) and module.bn is not None:
            _fold(module.conv, module.bn)
            module.bn = None
    return model


@torch.no_grad()
def _fold(conv: nn.Conv2d, bn: nn.BatchNorm2d) -> None:
    if bn.running_mean is None or bn.running_var is None:
        raise ValueError("a normalisation without running statistics cannot be folded")
    gain = torch.rsqrt(bn.running_var.double() + bn.eps)
    shift = -bn.running_mean.double()
    if conv.bias is not None:
        shift += conv.bias.double()
    shift *= gain
    if bn.affine:
        gain *= bn.weight.double()
        shift = shift * bn.weight.double() + bn.bias.double()
    weight = conv.weight.double() * gain.view(-1, 1, 1, 1)
    conv.weight.copy_(weight)
    if conv.bias is None:
        conv.bias = nn.Parameter(torch.empty_like(shift, dtype=conv.weight.dtype))
    conv.bias.copy_(shift)
