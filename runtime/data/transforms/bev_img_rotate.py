"""Turning the six camera images about their middle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runtime.data.camera_views import CameraViews
from runtime.errors import RunError
from runtime.geometry import pixel_matrix as pm


class BevImgRotate:
    """Turns all views alike about their middle, by an angle drawn once a sample; corners become black.

    Args:
        rot: (lowest, highest) angle in degrees, counter-clockwise as one sees it.

    Raises:
        RunError: `rot` is not an ordered pair.
    """

    def __init__(self, *, rot: Sequence[float] = (-5.4, 5.4)) -> None:
        if len(rot) != 2 or not rot[0] <= rot[1]:
            raise RunError(f"`BevImgRotate`: `rot` must be (lowest, highest) in degrees, got {rot}")
        self.rot = float(rot[0]), float(rot[1])

    def __call__(self, views: CameraViews, rng: np.random.Generator) -> None:
        """Changes `views`."""
        views.move(pm.rotate(rng.uniform(*self.rot), views.size), views.size)
