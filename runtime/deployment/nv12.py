"""NV12 frames, as a camera pipeline hands them to the chip, and what the chip makes of them.

A frame of H x W pixels is one array of H * 3/2 rows and W columns of bytes: H rows of Y, then H/2 rows in
which U and V take turns, one pair for each 2 x 2 pixels.

Chroma is the mean of its four pixels, halves rounded up, in integers: `(a + b + c + d + 2) >> 2`. The chip
repeats it and subtracts 128 from every byte; there is no floating point on the way.
"""

from __future__ import annotations

import torch
from torch import Tensor

from runtime.errors import RunError

CENTRE = 128
"""What the chip subtracts: bytes become signed codes."""


def to_nv12(yuv: Tensor) -> Tensor:
    """Bytes of three full-size channels to frames.

    Args:
        yuv: uint8 (..., 3, H, W), channels Y, U, V.

    Returns:
        uint8 (..., H * 3/2, W).

    Raises:
        RunError: an odd height or width.
    """
    height, width = yuv.shape[-2:]
    if height % 2 or width % 2:
        raise RunError(
            f"images of {height} x {width} pixels have no NV12 frame",
            hint="choose an even height and width, or `input_source: yuv444`",
        )
    chroma = yuv[..., 1:, :, :].to(torch.int16)
    rows = chroma[..., ::2, :] + chroma[..., 1::2, :]
    means = (rows[..., ::2] + rows[..., 1::2] + 2) >> 2
    pairs = means.movedim(-3, -1).flatten(-2)  # (..., H/2, W): U, V, U, V, ...
    return torch.cat([yuv[..., 0, :, :], pairs.to(torch.uint8)], dim=-2)


def chip_codes(frames: Tensor) -> Tensor:
    """Frames to the codes that the network reads: chroma repeated, 128 subtracted.

    Args:
        frames: uint8 (..., H * 3/2, W).

    Returns:
        int8 (..., 3, H, W).
    """
    rows, width = frames.shape[-2:]
    height = rows * 2 // 3
    pairs = frames[..., height:, :].unflatten(-1, (width // 2, 2)).movedim(-1, -3)
    chroma = pairs.repeat_interleave(2, dim=-2).repeat_interleave(2, dim=-1)
    return signed(torch.cat([frames[..., None, :height, :], chroma], dim=-3))


def signed(data: Tensor) -> Tensor:
    """Bytes less 128: uint8 to int8, any shape."""
    return (data.to(torch.int16) - CENTRE).to(torch.int8)


def unsigned(codes: Tensor) -> Tensor:
    """The bytes of codes: int8 to uint8, any shape."""
    return (codes.to(torch.int16) + CENTRE).to(torch.uint8)
