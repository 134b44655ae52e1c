"""Concatenation of channels."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Concat(nn.Module):
    """Feature maps behind each other along the channels."""

    def forward(self, *maps: Tensor) -> Tensor:
        """Maps (B, Ci, H, W) to (B, sum of Ci, H, W)."""
        return torch.cat(maps, dim=1)
