"""Average pooling."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


def bin_kernel(size: int, bins: int) -> tuple[int, int]:
    """(kernel, stride) whose windows, without padding, give `bins` values and cover all of `size` pixels.

    Where `bins` divides `size` the windows are disjoint; otherwise they overlap. Unlike adaptive pooling
    every window has the same size, which is what a chip's pooling unit takes.
    """
    stride = size // bins
    return size - (bins - 1) * stride, stride


class BinAvgPool(nn.Module):
    """Average pooling to a wanted number of bins with one fixed kernel.

    Args:
        bins: values along each side; a side of fewer pixels keeps its pixels.
    """

    def __init__(self, *, bins: int) -> None:
        super().__init__()
        self.bins = bins

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, min(bins, H), min(bins, W))."""
        height, width = x.shape[-2:]
        kernel_y, stride_y = bin_kernel(height, min(self.bins, height))
        kernel_x, stride_x = bin_kernel(width, min(self.bins, width))
        return F.avg_pool2d(x, (kernel_y, kernel_x), stride=(stride_y, stride_x))

    def extra_repr(self) -> str:
        return f"bins={self.bins}"


class GlobalAvgPool(nn.Module):
    """Mean over all pixels."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, 1, 1)."""
        return x.mean(dim=(2, 3), keepdim=True)
