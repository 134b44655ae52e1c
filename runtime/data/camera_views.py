"""The six camera images of a sample between decoding and tensor: geometry first, pixels once at the end.

Image transforms that move pixels only multiply `pixel_matrix`; the first one that looks at colours makes the
pixels, with one interpolation a view however long the chain is.

Convention:
    `pixel_matrix` (4, 4) maps pixels of the images as stored to pixels of the current images, for all views.
    `ego2img` (V, 4, 4) always belongs to the current images.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from runtime.data.jpeg import REDUCTIONS
from runtime.geometry import pixel_matrix as pm

Array = NDArray[np.float64]
Image = NDArray[np.uint8]

# A reduced decode may be enlarged again by this much at most: the blur stays below what bilinear sampling
# does.
_LARGEST_ENLARGEMENT = 1.1
# Pixel matrices closer than this to a whole-pixel shift (or a mirrored one) are copied, not interpolated.
_WHOLE_PIXEL = 1e-3


class CameraViews:
    """Six images of one sample, their projection, and what has been asked of them so far.

    Args:
        decoders: for each view a function `reduction -> uint8 (ceil(h / r), ceil(w / r), 3)` RGB or any three
            channels.
        size: (height, width) of the stored images.
        ego2img: (V, 4, 4) float64, for the stored images.
    """

    def __init__(
        self, *, decoders: list[Callable[[int], Image]], size: tuple[int, int], ego2img: Array
    ) -> None:
        self.decoders = decoders
        self.stored_size = size
        self.size = size
        self.pixel_matrix = np.eye(4)
        self.ego2img = np.array(ego2img, dtype=np.float64)
        self.tensor: torch.Tensor | None = None
        """(V, C, height, width), once the chain has turned pixels into numbers."""
        self._images: list[Image] | None = None

    @classmethod
    def of_images(cls, images: list[Image], ego2img: Array) -> CameraViews:
        """Views of images that are in memory already, uint8 (h, w, 3) each, all of one size."""

        def decoder(image: Image) -> Callable[[int], Image]:
            return lambda reduction: _area_reduce(image, reduction)

        return cls(decoders=[decoder(image) for image in images], size=_size(images[0]), ego2img=ego2img)

    def move(self, matrix: Array, size: tuple[int, int]) -> None:
        """Ask for a geometric operation.

        Args:
            matrix: (4, 4), current pixels to new pixels, affine.
            size: (height, width) of the new images; what lies outside the old ones becomes black.

        Raises:
            ValueError: the images have been turned into a tensor already.
        """
        if self.tensor is not None:
            raise ValueError(
                "pixels cannot be moved after they were turned into a tensor: put the wrapper last"
            )
        if self._images is not None:
            self._restart(self._images)
        self.pixel_matrix = matrix @ self.pixel_matrix
        self.ego2img = matrix @ self.ego2img
        self.size = size

    @property
    def images(self) -> list[Image]:
        """The current images, uint8 (height, width, 3) RGB each; made on first use."""
        if self._images is None:
            plan = WarpPlan(self.pixel_matrix, self.stored_size, self.size)
            self._images = [plan(decode) for decode in self.decoders]
        return self._images

    @images.setter
    def images(self, images: list[Image]) -> None:
        """Put in images whose colours were changed."""
        self._images = images

    def as_tensor(self) -> torch.Tensor:
        """float32 (V, 3, height, width); a chain without a tensor step gives plain pixel values."""
        if self.tensor is not None:
            return self.tensor.to(torch.float32)
        return torch.from_numpy(np.stack(self.images)).movedim(-1, -3).to(torch.float32).contiguous()

    def _restart(self, images: list[Image]) -> None:
        fresh = CameraViews.of_images(images, self.ego2img)
        self.decoders, self.stored_size = fresh.decoders, fresh.stored_size
        self.pixel_matrix, self._images = fresh.pixel_matrix, None


class WarpPlan:
    """How to get from stored images to current ones: reduced decode, area resize, then one warp.

    A bilinear warp looks at 2 x 2 pixels; shrinking with it alone skips pixels and aliases. Everything that
    shrinks is therefore done before: by the decoder in powers of two, then by averaging areas.

    Args:
        matrix: (4, 4), stored pixels to current pixels.
        stored_size: (height, width) of the stored images.
        size: (height, width) of the images to make.
    """

    def __init__(self, matrix: Array, stored_size: tuple[int, int], size: tuple[int, int]) -> None:
        self.size = size
        height, width = stored_size
        scale_u, scale_v = float(np.hypot(*matrix[:2, 0])), float(np.hypot(*matrix[:2, 1]))
        largest = max(scale_u, scale_v)
        self.reduction = max(
            (r for r in REDUCTIONS if largest * r <= _LARGEST_ENLARGEMENT or r == 1), default=1
        )
        reduced = -(-height // self.reduction), -(-width // self.reduction)
        done = pm.scale(1 / self.reduction, 1 / self.reduction)
        # What shrinking is left along each side of the reduced image, in whole pixels of the result.
        self.resized = (
            min(reduced[0], max(1, round(reduced[0] * scale_v * self.reduction))),
            min(reduced[1], max(1, round(reduced[1] * scale_u * self.reduction))),
        )
        if self.resized != reduced:
            done = pm.resize(reduced, self.resized) @ done
        self.residual = pm.planar(matrix @ np.linalg.inv(done))
        self.shift = self._whole_pixels()

    def __call__(self, decode: Callable[[int], Image]) -> Image:
        """The image uint8 (height, width, 3) of one view."""
        image = decode(self.reduction)
        if image.shape[:2] != self.resized:
            image = _area_resize(image, self.resized)
        height, width = self.size
        if self.shift is not None:
            left, top, mirrored = self.shift
            if mirrored:
                image = image[:, ::-1]
            if left == top == 0 and image.shape[:2] == self.size:
                return np.ascontiguousarray(image)
            window = image[top : top + height, left : left + width]
            return np.ascontiguousarray(window)
        warped = cv2.warpAffine(image, self.residual[:2], (width, height), flags=cv2.INTER_LINEAR)
        return np.asarray(warped, dtype=np.uint8)

    def _whole_pixels(self) -> tuple[int, int, bool] | None:
        """(left, top, mirrored) where the rest is a window of the resized image, else None."""
        height, width = self.resized
        for mirrored in (False, True):
            matrix = self.residual @ pm.planar(pm.flip(width)) if mirrored else self.residual
            left, top = round(-matrix[0, 2]), round(-matrix[1, 2])
            # The linear part acts over the whole window: its error is counted at the far corner.
            corner = np.array([self.size[1], self.size[0], 1.0])
            expected = np.array([[1.0, 0.0, -left], [0.0, 1.0, -top]])
            error = np.abs(matrix[:2] - expected) @ corner
            inside = left >= 0 and top >= 0 and left + self.size[1] <= width and top + self.size[0] <= height
            if inside and error.max() < _WHOLE_PIXEL:
                return left, top, mirrored
        return None


def _area_reduce(image: Image, reduction: int) -> Image:
    """What the JPEG decoder's reduction does, on pixels: means of r x r blocks, the last ones cut short."""
    if reduction == 1:
        return image
    height, width = image.shape[:2]
    pad = (-height) % reduction, (-width) % reduction
    padded = np.pad(image, ((0, pad[0]), (0, pad[1]), (0, 0)), mode="edge")
    return _area_resize(padded, (padded.shape[0] // reduction, padded.shape[1] // reduction))


def _area_resize(image: Image, size: tuple[int, int]) -> Image:
    """Resizes to (height, width) by averaging areas."""
    return np.asarray(cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _size(image: Image) -> tuple[int, int]:
    return image.shape[0], image.shape[1]
