"""Colours as a camera pipeline delivers them to the chip."""

from __future__ import annotations

import torch
from torch.nn import functional

# Full-range BT.601 (ITU-T T.871, the JPEG file interchange format): rows Y, U (Cb), V (Cr) on R, G, B.
_BT601 = (
    (0.299, 0.587, 0.114),
    (-0.299 / 1.772, -0.587 / 1.772, 0.5),
    (0.5, -0.587 / 1.402, -0.114 / 1.402),
)


class BgrToYuv444:
    """RGB or BGR to YUV in full range, chroma passed through NV12: one value for each 2 x 2 pixels.

    The camera pipeline stores NV12, whose chroma has half the size; the chip repeats it. Training sees the
    same: chroma is averaged over 2 x 2 pixels, rounded to 8 bits and repeated. At odd sizes the last row or
    column forms blocks of its own.

    Args:
        rgb_input: channels come as red, green, blue; otherwise blue, green, red.
    """

    def __init__(self, *, rgb_input: bool = True) -> None:
        self.rgb_input = rgb_input
        matrix = torch.tensor(_BT601, dtype=torch.float32)
        self.matrix = matrix if rgb_input else matrix.flip(1)

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        """uint8 (..., 3, H, W) to uint8 (..., 3, H, W), channels Y, U, V; U and V are centred on 128."""
        if image.dtype != torch.uint8 or image.ndim < 3 or image.shape[-3] != 3:
            raise ValueError(f"expected uint8 (..., 3, H, W), got {image.dtype} {tuple(image.shape)}")
        images = image.reshape(-1, 3, *image.shape[-2:])
        result = torch.empty_like(images)
        # One image at a time: the floats of all views together would be fetched from memory again and again.
        for source, target in zip(images.split(1), result.split(1), strict=True):
            self._convert(source.float(), target)
        return result.reshape(image.shape)

    def _convert(self, pixels: torch.Tensor, result: torch.Tensor) -> None:
        """Float pixels (N, 3, H, W) to YUV in `result`, uint8 of that shape."""
        height, width = pixels.shape[-2:]
        matrix = self.matrix.to(pixels.device)
        # Both steps are linear: averaging the colours first gives the chroma at a quarter of the work.
        coarse = _halved(pixels)
        result[:, 0] = _to_bytes(_mix(pixels, matrix[0]))
        for channel in (1, 2):
            chroma = _to_bytes(_mix(coarse, matrix[channel]).add_(128.0))
            repeated = chroma.repeat_interleave(2, dim=-1).repeat_interleave(2, dim=-2)
            result[:, channel] = repeated[:, :height, :width]


def _halved(pixels: torch.Tensor) -> torch.Tensor:
    """Means of 2 x 2 pixels of (N, 3, H, W); at an odd end, of the pixels that there are."""
    height, width = pixels.shape[-2:]
    if height % 2 or width % 2:
        pixels = functional.pad(pixels, (0, width % 2, 0, height % 2), mode="replicate")
    rows = pixels[..., ::2, :] + pixels[..., 1::2, :]
    return (rows[..., ::2] + rows[..., 1::2]).mul_(0.25)


def _mix(pixels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Weighted sum over the channels of (N, 3, H, W): (N, H, W)."""
    first, second, third = weights.tolist()
    return (pixels[:, 0] * first).add_(pixels[:, 1], alpha=second).add_(pixels[:, 2], alpha=third)


def _to_bytes(values: torch.Tensor) -> torch.Tensor:
    return values.round_().clamp_(0, 255).to(torch.uint8)
