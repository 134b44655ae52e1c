"""Sum of the maps that the views contribute."""

from __future__ import annotations

from torch import Tensor, nn


class ViewSum(nn.Module):
    """Adds the maps of the V views of each sample.

    Args:
        num_views: V.
    """

    def __init__(self, *, num_views: int) -> None:
        super().__init__()
        self.num_views = num_views

    def forward(self, x: Tensor) -> Tensor:
        """(B * V, C, H, W), the views of a sample behind each other, to (B, C, H, W)."""
        return x.unflatten(0, (-1, self.num_views)).sum(dim=1)

    def extra_repr(self) -> str:
        return f"num_views={self.num_views}"
