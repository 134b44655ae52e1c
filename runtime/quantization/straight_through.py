"""Fake quantisation with gradients: rounding has none, so they pass straight through it.

Bengio et al., "Estimating or Propagating Gradients Through Stochastic Neurons", 2013; learned scales: Esser
et al., "Learned Step Size Quantization", 2020.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor


def fake_quantize(x: Tensor, scale: Tensor, low: int, high: int) -> Tensor:
    """`x` rounded to whole multiples of `scale` in [low, high] times it.

    The gradient for `x` is 1 inside and 0 where it was cut. A `scale` that wants a gradient gets that of LSQ:
    round(v) - v with v = x / scale inside, and the bound outside, times 1 / sqrt(values a scale * high), so
    that scales learn at the pace of weights.

    Args:
        x: any shape.
        scale: () or, for weights, (O,) for the first axis of `x`.
        low: smallest code.
        high: largest code.
    """
    return _FakeQuantize.apply(x, scale, low, high)


class _FakeQuantize(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, low: int, high: int) -> Tensor:
        # A scale that steps through zero would turn the signs of all codes.
        scale = scale.detach().clamp(min=torch.finfo(torch.float32).tiny)
        step = scale if scale.ndim == 0 else scale.view(-1, *[1] * (x.ndim - 1))
        code = (x / step).add_(0.5).floor_()
        y = code.clamp(low, high)
        cut = y != code
        y.mul_(step)
        ctx.high = high
        ctx.save_for_backward(cut, scale, *((x, y) if ctx.needs_input_grad[1] else ()))
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        cut, scale, *values = ctx.saved_tensors
        if cut.ndim == 4 and cut.is_contiguous(memory_format=torch.channels_last):
            # Tensors of two memory orders in one operation are many times slower than one copy.
            grad = grad.contiguous(memory_format=torch.channels_last)
        # `masked_fill` would change the memory order.
        grad_x = torch.where(cut, 0.0, grad)
        if not values:
            return grad_x, None, None, None
        x, y = values
        # With y = code * scale the slope is (y - x) / scale inside and y / scale outside.
        if scale.ndim == 0:
            slope = _dot(grad, y) - _dot(grad_x, x)
        else:
            slope = (grad * y - grad_x * x).flatten(1).sum(dim=1)
        return grad_x, slope / scale / math.sqrt(x.numel() // scale.numel() * ctx.high), None, None


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Sum of products, without copies for tensors of one memory order."""
    if a.ndim == 4 and a.is_contiguous(memory_format=torch.channels_last):
        a, b = a.permute(0, 2, 3, 1), b.permute(0, 2, 3, 1)
    return torch.dot(a.reshape(-1), b.reshape(-1))
