"""Weighted sums of four pixels, for everything that interpolates: `acc = sum_t q[index_t] * w_t`.

All channels of a pixel have the same weight, which makes this an `embedding_bag` with pixels as embeddings:
several times faster than torch's `grid_sample` on a CPU, and exact on digits (see `digits`).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from runtime.quantization.arithmetic import digits
from runtime.quantization.arithmetic.weighted_sum import Term, weighted_sum


def rounded_taps(
    x: Tensor,
    indices: Tensor,
    weights: Tensor,
    factor: float,
    *,
    weight_sum: int,
    bits: int,
    lo: int,
    hi: int,
) -> Tensor:
    """Codes (B, C, H, W): `clamp(floor(acc * factor + 1/2), lo, hi)`.

    Args:
        x: codes (B, C, h, w).
        indices: (B, H, W, 4) int64 pixels of the sample's map, `row * w + column`.
        weights: (B, H, W, 4) integers as float32.
        factor: `m * 2^-k`.
        weight_sum: the most that the weights of an output pixel add up to, at most 2^16.
        bits: of x's codes.
    """
    plan = digits.plan(weight_sum, bits=bits)
    batch, channels, height, width = x.shape
    samples = torch.arange(batch, device=x.device).view(-1, 1, 1, 1)
    bags = (indices + samples * (height * width)).reshape(-1, 4)
    bag_weights = weights.reshape(-1, 4)
    shape = (batch, indices.shape[1], indices.shape[2], channels)
    terms: list[Term] = []
    for place, part in enumerate(digits.split(x, plan)):
        pixels = part.permute(0, 2, 3, 1).reshape(-1, channels)
        sums = F.embedding_bag(bags, pixels, per_sample_weights=bag_weights, mode="sum")
        acc = sums.view(shape).permute(0, 3, 1, 2)
        terms.append((acc, factor * 2.0 ** (plan.width * place)))
    return weighted_sum(terms, 0.5, lo=lo, hi=hi, out=terms[0][0])
