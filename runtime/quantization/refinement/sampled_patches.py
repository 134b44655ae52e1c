"""Samples of what a weighted layer reads: some pixels of each batch, not whole maps."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from runtime.quantization.modules.conv import WeightedModule


class PatchSampler:
    """Chooses output pixels of a layer by number of the batch, and cuts out what they are summed from.

    Args:
        layer: whose weights (O, I, ...) are seen as G groups of (O / G, N), N = I kh kw.
        seed: of the choice; the same one chooses the same pixels.
        rows: pixels a batch.
    """

    def __init__(self, layer: WeightedModule, *, seed: int, rows: int) -> None:
        self.layer = layer
        self.seed = seed
        self.rows = rows
        inner = layer.layer
        self.conv = inner if isinstance(inner, nn.Conv2d) else None
        self.groups = inner.groups if isinstance(inner, nn.Conv2d) else 1

    def grouped(self, weight: Tensor) -> Tensor:
        """A weight (O, I, ...) or a bias (O,) to (G, O / G, N) or (G, O / G)."""
        parts = weight.unflatten(0, (self.groups, -1))
        return parts.flatten(2) if weight.ndim > 1 else parts

    def ungrouped(self, weight: Tensor) -> Tensor:
        """A weight (G, O / G, N) to the layer's own shape."""
        return weight.reshape(self.layer.layer.weight.shape)

    def patches(self, x: Tensor, batch: int) -> Tensor:
        """(G, P, N) of the layer's input (B, C, H, W) or (B, C), P <= `rows`."""
        generator = torch.Generator().manual_seed(self.seed * 100_003 + batch)
        if self.conv is None:
            chosen = torch.randperm(len(x), generator=generator)[: self.rows]
            return x[chosen.to(x.device)].unsqueeze(0)
        (pad_y, pad_x), (step_y, step_x) = _pair(self.conv.padding), self.conv.stride
        kernel, dilation = self.conv.kernel_size, self.conv.dilation
        height, width = (
            (size + 2 * pad - dilate * (side - 1) - 1) // step + 1
            for size, pad, dilate, side, step in zip(
                x.shape[-2:], (pad_y, pad_x), dilation, kernel, self.conv.stride, strict=True
            )
        )
        chosen = torch.randperm(len(x) * height * width, generator=generator)[: self.rows].to(x.device)
        image, pixel = chosen // (height * width), chosen % (height * width)
        rows = (pixel // width * step_y)[:, None] + torch.arange(kernel[0], device=x.device) * dilation[0]
        columns = (pixel % width * step_x)[:, None] + torch.arange(kernel[1], device=x.device) * dilation[1]
        padded = nn.functional.pad(x, (pad_x, pad_x, pad_y, pad_y))
        # (P, kh, kw, C) to (G, P, I kh kw), in the order of the weight.
        cut = padded.permute(0, 2, 3, 1)[image[:, None, None], rows[:, :, None], columns[:, None, :]]
        return cut.permute(0, 3, 1, 2).unflatten(1, (self.groups, -1)).flatten(2).transpose(0, 1).contiguous()


def _pair(padding: object) -> tuple[int, int]:
    # `QuantizedConv` has refused padding by name.
    assert isinstance(padding, tuple)
    return padding
