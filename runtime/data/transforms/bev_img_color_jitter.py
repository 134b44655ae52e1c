"""Varying light and colour of the six camera images."""

from __future__ import annotations

import cv2
import numpy as np

from runtime.data.camera_views import CameraViews, Image
from runtime.errors import RunError

_LUMA_RGB = np.array([0.299, 0.587, 0.114])


class BevImgColorJitter:
    """Changes brightness, contrast and saturation, in this order, by factors drawn once a sample.

    Each factor is uniform in [1 - strength, 1 + strength], as in torchvision's ColorJitter. All three are
    linear in the colours, so that they are one 3x4 matrix a view.

    Args:
        brightness: strength of the factor on all colours.
        contrast: strength of the factor on the distance to the view's mean grey.
        saturation: strength of the factor on the distance to the pixel's own grey.

    Raises:
        RunError: a strength is outside 0 to 1.
    """

    def __init__(self, *, brightness: float = 0.0, contrast: float = 0.0, saturation: float = 0.0) -> None:
        self.strengths = {"brightness": brightness, "contrast": contrast, "saturation": saturation}
        for name, strength in self.strengths.items():
            if not 0 <= strength <= 1:
                raise RunError(f"`BevImgColorJitter`: `{name}` must lie in 0 to 1, got {strength}")

    def __call__(self, views: CameraViews, rng: np.random.Generator) -> None:
        """Changes `views`."""
        brightness, contrast, saturation = (rng.uniform(1 - s, 1 + s) for s in self.strengths.values())
        if brightness == contrast == saturation == 1.0:
            return
        grey = np.tile(_LUMA_RGB, (3, 1))
        linear = brightness * contrast * (saturation * np.eye(3) + (1 - saturation) * grey)

        def jittered(image: Image) -> Image:
            mean_grey = float(np.dot(cv2.mean(image)[:3], _LUMA_RGB))
            offset = np.full((3, 1), (1 - contrast) * brightness * mean_grey)
            return np.asarray(cv2.transform(image, np.hstack([linear, offset])), dtype=np.uint8)

        views.images = [jittered(image) for image in views.images]
