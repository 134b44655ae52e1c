"""Six images of one moment and where their cameras look, on their way to the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from runtime.data.camera_views import CameraViews, Image
from runtime.data.dataset import ImageTransform
from runtime.data.jpeg import decode_bgr
from runtime.errors import RunError
from runtime.geometry.camera import CAMERA_NAMES

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """One sample without its annotations.

    Args:
        name: the sample's token, or another name for it.
        images: six JPEGs in view order, byte for byte.
        size: (height, width) of all of them in pixels.
        ego2img: (6, 4, 4) for these pixels.
        ego2global: (4, 4), None when it is not known.
        source: where all this is from, for the result file.
        place: the same for messages.
    """

    name: str
    images: tuple[bytes, ...]
    size: tuple[int, int]
    ego2img: Array
    ego2global: Array | None
    source: dict[str, Any]
    place: str

    def views(self) -> CameraViews:
        """The images before any transform, as `NuscenesDataset` makes them of a packed sample."""
        decoders = [
            self._decoder(data, channel) for data, channel in zip(self.images, CAMERA_NAMES, strict=True)
        ]
        return CameraViews(decoders=decoders, size=self.size, ego2img=self.ego2img)

    def _decoder(self, data: bytes, channel: str) -> Callable[[int], Image]:
        def decode(reduction: int) -> Image:
            image = decode_bgr(data, reduction)
            if image is None:
                raise RunError(f"image `{channel}` is no whole JPEG ({len(data)} bytes)", place=self.place)
            return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)

        return decode


def batch_of(frame: Frame, transforms: Sequence[ImageTransform]) -> dict[str, Any]:
    """The batch of one sample that evaluation would make of a frame.

    Args:
        frame: the sample.
        transforms: those of the validation dataset. Their generator is that of the first sample.

    Returns:
        `img` float32 (6, 3, H, W), `ego2img` float64 (1, 6, 4, 4).

    Raises:
        RunError: an image does not decode.
    """
    views = frame.views()
    rng = np.random.default_rng((0, 0, 0))
    for transform in transforms:
        transform(views, rng)
    return {"img": views.as_tensor(), "ego2img": torch.from_numpy(views.ego2img).unsqueeze(0)}
