"""Cutting a window out of the six camera images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runtime.data.camera_views import CameraViews
from runtime.errors import RunError
from runtime.geometry import pixel_matrix as pm


class BevImgCrop:
    """Crops all views alike and keeps the bottom: sky is what is cut.

    Images smaller than the window are padded with black, at the top and on the sides.

    Args:
        size: (height, width) of the window in pixels.
        random: draw the horizontal place once a sample, uniformly; otherwise the window is in the middle.

    Raises:
        RunError: `size` is not two positive numbers.
    """

    def __init__(self, *, size: Sequence[int], random: bool = False) -> None:
        if len(size) != 2 or min(size) < 1:
            raise RunError(f"`BevImgCrop`: `size` must be two positive numbers (height, width), got {size}")
        self.size = int(size[0]), int(size[1])
        self.random = random

    def __call__(self, views: CameraViews, rng: np.random.Generator) -> None:
        """Changes `views`."""
        height, width = views.size
        spare = width - self.size[1]
        low, high = sorted((0, spare))
        left = int(rng.integers(low, high, endpoint=True)) if self.random else spare // 2
        views.move(pm.crop(left, height - self.size[0]), self.size)
