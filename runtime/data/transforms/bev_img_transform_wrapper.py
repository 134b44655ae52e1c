"""From pixels to numbers: the transforms that act on one image at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from runtime.data.camera_views import CameraViews


class BevImgTransformWrapper:
    """Applies transforms of single images to every view; the last step of a chain.

    The views are handed over as one stack: the transforms take any leading dimensions.

    Args:
        transforms: callables, the first from uint8 (..., H, W, 3) to a tensor (..., 3, H, W), the others
            between such tensors.
    """

    def __init__(self, *, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = tuple(transforms)

    def __call__(self, views: CameraViews, rng: np.random.Generator) -> None:
        """Fills `views.tensor`."""
        stack: Any = np.stack(views.images)
        for transform in self.transforms:
            stack = transform(stack)
        views.tensor = stack
