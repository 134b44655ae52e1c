"""From image arrays to tensors with the channels in front."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray


class PILToTensor:
    """uint8 pixels (..., H, W, 3) to a uint8 tensor (..., 3, H, W), values unchanged."""

    def __call__(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """Raises ValueError for anything but uint8 with three channels last."""
        if pixels.dtype != np.uint8 or pixels.ndim < 3 or pixels.shape[-1] != 3:
            raise ValueError(f"expected uint8 (..., H, W, 3), got {pixels.dtype} {pixels.shape}")
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(pixels, -1, -3)))
