"""Mirroring the six camera images left and right."""

from __future__ import annotations

import numpy as np

from runtime.data.camera_views import CameraViews
from runtime.errors import RunError
from runtime.geometry import pixel_matrix as pm


class BevImgFlip:
    """Mirrors all views of a sample, or none; the labels stay, because `ego2img` mirrors with the pixels.

    Args:
        prob: probability that a sample is mirrored.

    Raises:
        RunError: `prob` is no probability.
    """

    def __init__(self, *, prob: float = 0.5) -> None:
        if not 0 <= prob <= 1:
            raise RunError(f"`BevImgFlip`: `prob` must lie in 0 to 1, got {prob}")
        self.prob = prob

    def __call__(self, views: CameraViews, rng: np.random.Generator) -> None:
        """Changes `views`."""
        if rng.random() < self.prob:
            views.move(pm.flip(views.size[1]), views.size)
