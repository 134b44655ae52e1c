"""Only what a camera delivers is passed off as what a camera delivers."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from runtime.data.transforms.bev_img_transform_wrapper import BevImgTransformWrapper
from runtime.data.transforms.bgr_to_yuv444 import BgrToYuv444
from runtime.data.transforms.normalize import Normalize
from runtime.data.transforms.pil_to_tensor import PILToTensor
from runtime.deployment.camera_input import camera_codes, check_camera_chain, check_input_source
from runtime.errors import RunError
from runtime.hbir.codes import encode
from runtime.hbir.graph import Graph
from runtime.hbir.tensor_type import TensorType


def graph(scale: float = 1 / 128) -> Graph:
    return Graph((TensorType("img", "int8", (1, 3, 4, 4), (scale,)),), (), (), ())


def dataset(*transforms: Any) -> Any:
    return SimpleNamespace(transforms=(BevImgTransformWrapper(transforms=[PILToTensor(), *transforms]),))


def test_the_chain_of_a_camera_passes() -> None:
    check_camera_chain(dataset(BgrToYuv444(), Normalize()), graph())
    check_camera_chain(dataset(BgrToYuv444(), Normalize(mean=[128.0] * 3, std=64.0)), graph(1 / 64))
    check_camera_chain(SimpleNamespace(), graph())  # no chain: its images are looked at


@pytest.mark.parametrize(
    ("data", "scale", "said"),
    [
        (dataset(Normalize()), 1 / 128, "the network is not given YUV images"),
        (dataset(BgrToYuv444()), 1 / 128, "the network is not given YUV images"),
        (SimpleNamespace(transforms=(Normalize(),)), 1 / 128, "the network is not given YUV images"),
        (dataset(BgrToYuv444(), Normalize(mean=120.0)), 1 / 128, r"mean \[120.0\] and std \[128.0\]"),
        (dataset(BgrToYuv444(), Normalize(std=64.0)), 1 / 128, r"std \[64.0\] for a scale of 0.0078125"),
        (dataset(BgrToYuv444(), Normalize(mean=[128.0, 0.0, 128.0])), 1 / 128, r"mean \[128.0, 0.0, 128.0\]"),
    ],
)
def test_another_chain_is_refused(data: Any, scale: float, said: str) -> None:
    with pytest.raises(RunError, match=said) as found:
        check_camera_chain(data, graph(scale))
    assert "`BgrToYuv444` and `Normalize` with mean 128 and std 128" in str(found.value)


@pytest.mark.parametrize(("change", "fits"), [(0.0, True), (1 / 256, False), (1.0, False)])
def test_images_between_or_beyond_codes_are_refused(change: float, fits: bool) -> None:
    img = torch.arange(48.0).reshape(1, 3, 4, 4) / 128
    img[0, 2, 3, 3] += change
    codes = encode(graph(), {"img": img})["img"]
    if fits:
        assert torch.equal(camera_codes(graph(), img, codes, "yuv444"), codes)
        # Chroma is 16 to 19 and so on: the mean of 16, 17, 20 and 21 is 18.5.
        assert camera_codes(graph(), img, codes, "nv12")[0, 1, 0].tolist() == [19, 19, 21, 21]
    else:
        with pytest.raises(RunError, match="the images are no bytes less 128"):
            camera_codes(graph(), img, codes, "yuv444")


def test_an_unknown_source() -> None:
    with pytest.raises(RunError, match="`input_source` is `rgb`, expected nv12 or yuv444"):
        check_input_source("rgb")
