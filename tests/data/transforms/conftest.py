"""A rig of six made-up cameras that look at known points, drawn as soft dots."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from runtime.data.camera_views import CameraViews
from runtime.data.jpeg import decode_bgr
from runtime.geometry.camera import ego2img_matrix, project

Array = NDArray[np.float64]


def look_at(yaw: float) -> Array:
    """cam2ego of a camera 1.5 m above the ground that looks along `yaw` and a little down."""
    forward = np.array([np.cos(yaw), np.sin(yaw), -0.05])
    forward /= np.linalg.norm(forward)
    right = np.array([np.sin(yaw), -np.cos(yaw), 0.0])
    cam2ego = np.eye(4)
    cam2ego[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    cam2ego[:3, 3] = [0.5 * np.cos(yaw), 0.5 * np.sin(yaw), 1.5]
    return cam2ego


class Dots:
    """Six JPEGs with one soft dot each, at the projection of a point of the ego frame."""

    def __init__(self, size: tuple[int, int], rng: np.random.Generator, sigma: float) -> None:
        self.size = size
        height, width = size
        focal = 0.8 * width
        intrinsic = np.array([[focal, 0, width / 2 - 1.3], [0, focal, height / 2 + 0.7], [0, 0, 1]])
        cameras = [look_at(yaw) for yaw in np.linspace(0, 2 * np.pi, 6, endpoint=False)]
        self.ego2img = np.stack([ego2img_matrix(intrinsic, c, np.eye(4), np.eye(4)) for c in cameras])
        self.points, self.jpegs = [], []
        for camera, matrix in zip(cameras, self.ego2img, strict=True):
            # Somewhere in the middle lower part of the view, so that crops keep it.
            pixel = np.array([rng.uniform(0.4, 0.6) * width, rng.uniform(0.55, 0.75) * height])
            depth = rng.uniform(4, 30)
            in_camera = np.linalg.inv(intrinsic) @ [*pixel, 1.0] * depth
            point = camera[:3, :3] @ in_camera + camera[:3, 3]
            uv, _ = project(point[None], matrix)
            np.testing.assert_allclose(uv[0], pixel, atol=1e-6)
            v, u = np.mgrid[:height, :width]
            dot = 230 * np.exp(-((u - pixel[0]) ** 2 + (v - pixel[1]) ** 2) / (2 * sigma**2))
            image = np.repeat(dot[..., None].round().astype(np.uint8), 3, axis=2)
            self.points.append(point)
            self.jpegs.append(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 97])[1].tobytes())

    def views(self) -> CameraViews:
        """Fresh views that decode these JPEGs."""

        def decoder(data: bytes) -> Callable[[int], NDArray[np.uint8]]:
            def decode(reduction: int) -> NDArray[np.uint8]:
                image = decode_bgr(data, reduction)
                assert image is not None
                return image

            return decode

        return CameraViews(decoders=[decoder(d) for d in self.jpegs], size=self.size, ego2img=self.ego2img)

    def errors(self, views: CameraViews) -> Array:
        """Pixels between where each dot is and where the views' `ego2img` says that it is."""
        distances = []
        for image, matrix, point in zip(views.images, views.ego2img, self.points, strict=True):
            assert image.shape[:2] == views.size
            weight = np.clip(image[..., 0].astype(np.float64) - 30, 0, None)
            assert weight.sum() > 0, "the dot was cut off"
            v, u = np.mgrid[: image.shape[0], : image.shape[1]]
            seen = np.array([(u * weight).sum(), (v * weight).sum()]) / weight.sum()
            expected, _ = project(point[None], matrix)
            distances.append(np.hypot(*(seen - expected[0])))
        return np.array(distances)


@pytest.fixture(params=[(270, 480), (271, 483)], ids=["even size", "odd size"])
def dots(request: pytest.FixtureRequest) -> Dots:
    """Six views with a dot each."""
    return Dots(request.param, np.random.default_rng(3), sigma=4.0)
