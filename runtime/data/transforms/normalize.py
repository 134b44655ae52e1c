"""Centring and scaling of pixel values."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from runtime.errors import RunError


class Normalize:
    """(value - mean) / std as float32, for all channels alike or channel by channel.

    Args:
        mean: one number, or one a channel.
        std: one number, or one a channel.

    Raises:
        RunError: a `std` is zero.
    """

    def __init__(
        self, *, mean: float | Sequence[float] = 128.0, std: float | Sequence[float] = 128.0
    ) -> None:
        self.mean = torch.as_tensor(mean, dtype=torch.float32).reshape(-1, 1, 1)
        self.std = torch.as_tensor(std, dtype=torch.float32).reshape(-1, 1, 1)
        if bool((self.std == 0).any()):
            raise RunError(f"`Normalize`: `std` must not be 0, got {std}")

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        """(..., C, H, W) of any type to float32 (..., C, H, W)."""
        mean, std = self.mean.to(image.device), self.std.to(image.device)
        return image.to(torch.float32, copy=True).sub_(mean).div_(std)
