"""Resizing of feature maps."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

ResizeMode = Literal["bilinear", "nearest"]


class Resize(nn.Module):
    """Samples a map on another number of pixels over the same area.

    Convention:
        Pixel centres at integers; the outer edges of both maps coincide (`align_corners=False`). Bilinear
        repeats the border.

    Args:
        mode: `bilinear` or `nearest`.
    """

    def __init__(self, *, mode: ResizeMode) -> None:
        super().__init__()
        if mode not in ("bilinear", "nearest"):
            raise ValueError(f"resize mode is {mode!r}, expected `bilinear` or `nearest`")
        self.mode = mode

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """(B, C, h, w) to (B, C, *size)."""
        if tuple(x.shape[-2:]) == tuple(size):
            return x
        if self.mode == "nearest":
            return F.interpolate(x, size=size, mode="nearest")
        return F.interpolate(x, size=size, mode="bilinear", align_corners=False)

    def extra_repr(self) -> str:
        return f"mode={self.mode!r}"
