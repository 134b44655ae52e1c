"""Resizing the six camera images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runtime.data.camera_views import CameraViews
from runtime.errors import RunError
from runtime.geometry import pixel_matrix as pm


class BevImgResize:
    """Resizes all views alike, to a fixed size or by a factor drawn once a sample.

    Args:
        size: (height, width) in pixels.
        scales: (lowest, highest) factor, drawn uniformly; the new size is rounded to whole pixels.

    Raises:
        RunError: not exactly one of `size` and `scales` is given, or a value is not positive.
    """

    def __init__(self, *, size: Sequence[int] | None = None, scales: Sequence[float] | None = None) -> None:
        if (size is None) == (scales is None):
            raise RunError(
                f"`BevImgResize` takes either `size` or `scales`, got size {size}, scales {scales}"
            )
        if size is not None and (len(size) != 2 or min(size) < 1):
            raise RunError(f"`BevImgResize`: `size` must be two positive numbers (height, width), got {size}")
        if scales is not None and (len(scales) != 2 or not 0 < scales[0] <= scales[1]):
            raise RunError(f"`BevImgResize`: `scales` must be (lowest, highest), both above 0, got {scales}")
        self.size = None if size is None else (int(size[0]), int(size[1]))
        self.scales = None if scales is None else (float(scales[0]), float(scales[1]))

    def __call__(self, views: CameraViews, rng: np.random.Generator) -> None:
        """Changes `views`."""
        height, width = views.size
        if self.size is not None:
            new_size = self.size
        else:
            assert self.scales is not None
            factor = rng.uniform(*self.scales)
            new_size = max(1, round(height * factor)), max(1, round(width * factor))
        views.move(pm.resize((height, width), new_size), new_size)
