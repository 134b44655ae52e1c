"""The best scores in an order that is the same on every device."""

from __future__ import annotations

import torch
from torch import Tensor


def best_first(scores: Tensor, count: int) -> Tensor:
    """Where the `count` greatest scores are, greatest first; of equal scores the earlier place comes first.

    `torch.topk` leaves the order of equal values open, and a CPU and a GPU choose differently. Equal scores
    are common: codes are few, and where a rectifier has cut off all features, all cells answer with the bias.
    Which of two neighbours suppresses the other moves the metrics.

    Args:
        scores: (B, N) float32, none negative, no NaN.
        count: at most N.

    Returns:
        (B, count) int64 indices along N.
    """
    places = scores.shape[1]
    # The bits of floats that are not negative rise with their values, so (score, place) becomes one integer,
    # and no two are equal. Adding 0.0 turns -0.0, whose bits are below all others, into 0.0.
    bits = (scores + 0.0).view(torch.int32).to(torch.int64)
    backwards = torch.arange(places - 1, -1, -1, device=scores.device)
    keys = (bits << 32) | backwards
    return places - 1 - (keys.topk(count, dim=1).values & 0xFFFFFFFF)
