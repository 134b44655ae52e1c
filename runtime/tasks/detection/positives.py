"""The number of positives that a batch's losses are divided by, shared by all processes."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor


@torch.no_grad()
def positives_per_rank(num_pos: Tensor) -> Tensor:
    """Mean over all processes of their positives, at least 1 over all of them together.

    Gradients are averaged over processes, so that dividing by the mean on each gives the sum over the whole
    batch divided by all its positives, however unevenly the boxes are spread. Without processes it is
    max(num_pos, 1). Averaging twice changes nothing.

    Args:
        num_pos: float, any shape; every process must call this in the same order.
    """
    num_pos = num_pos.detach().float()
    world = 1
    if dist.is_available() and dist.is_initialized() and (world := dist.get_world_size()) > 1:
        num_pos = num_pos / world
        dist.all_reduce(num_pos)
    return num_pos.clamp(min=1.0 / world)
