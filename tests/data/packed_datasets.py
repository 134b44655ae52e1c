"""Datasets on the pack of these tests, with and without random transforms, and whether items are the same."""

from pathlib import Path
from typing import Any

import torch

from runtime.data.dataset import NuscenesDataset
from runtime.data.transforms.bev_img_color_jitter import BevImgColorJitter
from runtime.data.transforms.bev_img_crop import BevImgCrop
from runtime.data.transforms.bev_img_flip import BevImgFlip
from runtime.data.transforms.bev_img_resize import BevImgResize
from runtime.data.transforms.bev_img_rotate import BevImgRotate
from runtime.data.transforms.bev_img_transform_wrapper import BevImgTransformWrapper
from runtime.data.transforms.bgr_to_yuv444 import BgrToYuv444
from runtime.data.transforms.normalize import Normalize
from runtime.data.transforms.pil_to_tensor import PILToTensor

WRAPPER = BevImgTransformWrapper(transforms=[PILToTensor(), BgrToYuv444(), Normalize()])
FIXED = [BevImgResize(size=(96, 171)), BevImgCrop(size=(64, 160)), WRAPPER]
RANDOM = [
    BevImgResize(scales=(0.5, 0.7)),
    BevImgCrop(size=(64, 160), random=True),
    BevImgFlip(prob=0.5),
    BevImgRotate(rot=(-5.4, 5.4)),
    BevImgColorJitter(brightness=0.2, contrast=0.2, saturation=0.2),
    WRAPPER,
]


def dataset(path: Path, transforms: Any = FIXED, **changes: Any) -> NuscenesDataset:
    settings: dict[str, Any] = {"bev_size": (32.0, 32.0, 1.0), "map_size": (15.0, 20.0, 0.5)} | changes
    return NuscenesDataset(data_path=path, transforms=transforms, **settings)


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for key, value in one.items():
        if isinstance(value, torch.Tensor):
            torch.testing.assert_close(value, other[key], rtol=0, atol=0, equal_nan=True, msg=key)
        elif isinstance(value, list) and value and isinstance(value[0], torch.Tensor):
            for a, b in zip(value, other[key], strict=True):
                torch.testing.assert_close(a, b, rtol=0, atol=0, equal_nan=True, msg=key)
        else:
            assert value == other[key]
