"""The images of a batch as a board gets them, in place of those that a host computes."""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch
from torch import Tensor

from runtime.data.transforms.bev_img_transform_wrapper import BevImgTransformWrapper
from runtime.data.transforms.bgr_to_yuv444 import BgrToYuv444
from runtime.data.transforms.normalize import Normalize
from runtime.deployment.nv12 import CENTRE, chip_codes, to_nv12, unsigned
from runtime.errors import RunError
from runtime.hbir.graph import Graph

InputSource = Literal["nv12", "yuv444"]
_HINT = "let the transforms end with `BgrToYuv444` and `Normalize` with mean 128 and std 128"


def check_input_source(source: str) -> None:
    """See that a source of images is known.

    Raises:
        RunError: it is not.
    """
    if source not in get_args(InputSource):
        raise RunError(f"`input_source` is `{source}`, expected {' or '.join(get_args(InputSource))}")


def check_camera_chain(dataset: Any, graph: Graph) -> None:
    """See that the network reads what a camera pipeline gives: YUV bytes, of which the chip subtracts 128.

    Args:
        dataset: its chain of transforms is looked at; one without a chain passes, see `camera_codes`.
        graph: its input `img` has the scale.

    Raises:
        RunError: the chain ends in other numbers.
    """
    if not (chain := getattr(dataset, "transforms", None)):
        return
    last = chain[-1].transforms if isinstance(chain[-1], BevImgTransformWrapper) else ()
    colour, scaled = last[-2:] if len(last) > 1 else (None, None)
    if not isinstance(colour, BgrToYuv444) or not isinstance(scaled, Normalize):
        raise RunError("the network is not given YUV images, which is all that a camera delivers", hint=_HINT)
    step = scaled.std.double() * graph.types["img"].scale[0]
    if bool((scaled.mean != CENTRE).any() or (step != 1).any()):
        raise RunError(
            f"the chip subtracts {CENTRE} and scales nothing, the images are normalised with mean "
            f"{scaled.mean.flatten().tolist()} and std {scaled.std.flatten().tolist()} for a scale of "
            f"{graph.types['img'].scale[0]:g}",
            hint=_HINT,
        )


def camera_codes(graph: Graph, img: Tensor, codes: Tensor, source: InputSource) -> Tensor:
    """The codes that the chip makes of a frame with the same bytes.

    Args:
        graph: its input `img` has the scale.
        img: (B * V, 3, H, W), as the transforms give them.
        codes: their codes, int8 (B * V, 3, H, W).
        source: NV12 frames have chroma at half the size.

    Returns:
        int8 (B * V, 3, H, W).

    Raises:
        RunError: the images are no bytes less 128, or have an odd size.
    """
    if codes.dtype != torch.int8 or not torch.equal(
        codes.double() * graph.types["img"].scale[0], img.double()
    ):
        raise RunError(f"the images are no bytes less {CENTRE}: a board cannot deliver them", hint=_HINT)
    return codes if source == "yuv444" else chip_codes(to_nv12(unsigned(codes)))
