"""The values of a tensor as one row in the order of memory, and a small even sample of them."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

# A tensor of at most so many values is sampled whole. One core counts as many in about 0.1 ms, while a 1x1
# convolution of 64 channels makes fifty thousand: small against making a tensor that is larger.
SAMPLE_SIZE = 8192


def in_memory_order(x: Tensor) -> Tensor:
    """All values (N,) of a tensor, without a copy if they fill their memory in any order of axes."""
    by_stride = sorted(range(x.dim()), key=x.stride, reverse=True)
    return x.permute(by_stride).reshape(-1)


def even_sample(values: Tensor) -> tuple[Tensor, int]:
    """Of values (N,) one from each of at most `SAMPLE_SIZE` equal stretches, and the length of a stretch.

    The place within a stretch is random, the same every time, so that no channel, row or column of any layout
    is preferred; a step of constant length could visit a single channel only.
    """
    if len(values) <= SAMPLE_SIZE:
        return values, 1
    stretch = -(-len(values) // SAMPLE_SIZE)
    return values.index_select(0, _places(len(values), stretch, values.device)), stretch


@lru_cache(maxsize=128)
def _places(length: int, stretch: int, device: torch.device) -> Tensor:
    starts = torch.arange(0, length, stretch)
    within = torch.randint(stretch, starts.shape, generator=torch.Generator().manual_seed(length))
    return (starts + within).clamp_(max=length - 1).to(device)
