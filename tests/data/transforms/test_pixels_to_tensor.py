"""The transforms of single images: values against the standards they follow."""

import cv2
import numpy as np
import pytest
import torch

from runtime.data.camera_views import CameraViews
from runtime.data.transforms.bev_img_transform_wrapper import BevImgTransformWrapper
from runtime.data.transforms.bgr_to_yuv444 import BgrToYuv444
from runtime.data.transforms.normalize import Normalize
from runtime.data.transforms.pil_to_tensor import PILToTensor
from runtime.errors import RunError


def colour(*rgb: int) -> torch.Tensor:
    """A 4 x 4 image of one colour."""
    return torch.tensor(rgb, dtype=torch.uint8)[:, None, None].expand(3, 4, 4).contiguous()


@pytest.mark.parametrize(
    "rgb, yuv",
    # Table of the primaries in ITU-T T.871 terms: full range, rounded.
    [
        ((0, 0, 0), (0, 128, 128)),
        ((255, 255, 255), (255, 128, 128)),
        ((255, 0, 0), (76, 85, 255)),
        ((0, 255, 0), (150, 44, 21)),
        ((0, 0, 255), (29, 255, 107)),
        ((128, 128, 128), (128, 128, 128)),
    ],
)
def test_yuv_of_known_colours(rgb: tuple[int, int, int], yuv: tuple[int, int, int]):
    assert BgrToYuv444()(colour(*rgb))[:, 2, 1].tolist() == list(yuv)
    assert BgrToYuv444(rgb_input=False)(colour(*rgb[::-1]))[:, 2, 1].tolist() == list(yuv)


def test_luma_is_per_pixel_and_chroma_per_two_by_two_pixels():
    image = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 6, 8)).astype(np.uint8))
    yuv = BgrToYuv444()(image)
    pixels = image.double()
    luma = 0.299 * pixels[0] + 0.587 * pixels[1] + 0.114 * pixels[2]
    assert (yuv[0] - luma).abs().max() <= 0.501
    blocks = yuv[1:].reshape(2, 3, 2, 4, 2)
    assert (blocks == blocks[:, :, :1, :, :1]).all()
    mean = pixels.reshape(3, 3, 2, 4, 2).mean(dim=(2, 4))
    mean_luma = 0.299 * mean[0] + 0.587 * mean[1] + 0.114 * mean[2]
    u = (mean[2] - mean_luma) / 1.772 + 128
    v = (mean[0] - mean_luma) / 1.402 + 128
    assert (blocks[0, :, 0, :, 0] - u).abs().max() <= 0.501
    assert (blocks[1, :, 0, :, 0] - v).abs().max() <= 0.501


def test_luma_agrees_with_opencv():
    image = np.random.default_rng(1).integers(0, 256, (10, 12, 3)).astype(np.uint8)
    luma = BgrToYuv444()(PILToTensor()(image))[0].numpy()
    reference = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)[..., 0]
    assert np.abs(luma.astype(int) - reference).max() <= 1


def test_odd_sizes_use_shorter_blocks_at_the_end():
    image = torch.zeros(3, 3, 5, dtype=torch.uint8)
    image[2, 2, 4] = 255  # a block of its own
    yuv = BgrToYuv444()(image)
    assert yuv.shape == image.shape
    assert yuv[1, 2, 4] == 255 and yuv[1, 2, 3] == 128 and yuv[1, 1, 4] == 128


def test_to_tensor_moves_channels_and_keeps_values():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    tensor = PILToTensor()(image)
    assert tensor.dtype == torch.uint8 and tensor.shape == (3, 2, 4) and tensor.is_contiguous()
    assert tensor[1, 1, 2] == image[1, 2, 1]
    with pytest.raises(ValueError, match="expected uint8"):
        PILToTensor()(image.astype(np.float32))  # type: ignore[arg-type]


def test_normalize_numbers_and_channels():
    image = torch.full((3, 2, 2), 192, dtype=torch.uint8)
    assert (Normalize(mean=128.0, std=128.0)(image) == 0.5).all()
    by_channel = Normalize(mean=[0.0, 192.0, 96.0], std=[192.0, 1.0, 48.0])(image)
    assert by_channel[:, 0, 0].tolist() == [1.0, 0.0, 2.0]
    assert (image == 192).all()
    floats = torch.ones(3, 2, 2)
    Normalize(mean=0.0, std=2.0)(floats)
    assert (floats == 1).all(), "the input must not change"
    with pytest.raises(RunError, match="`std` must not be 0"):
        Normalize(mean=0.0, std=0.0)


def test_wrapper_treats_each_view_as_if_it_were_alone():
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (6, 8, 3)).astype(np.uint8) for _ in range(6)]
    chain = [PILToTensor(), BgrToYuv444(), Normalize()]
    views = CameraViews.of_images(images, np.tile(np.eye(4), (6, 1, 1)))
    BevImgTransformWrapper(transforms=chain)(views, rng)
    assert views.tensor is not None and views.tensor.shape == (6, 3, 6, 8)
    assert views.tensor.dtype == torch.float32
    for image, tensor in zip(images, views.tensor, strict=True):
        alone = chain[2](chain[1](chain[0](image)))
        assert torch.equal(alone, tensor)
