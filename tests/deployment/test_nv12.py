"""NV12 frames against their definition, byte by byte."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from runtime.data.transforms.bgr_to_yuv444 import BgrToYuv444
from runtime.deployment.nv12 import chip_codes, signed, to_nv12, unsigned
from runtime.errors import RunError


def frame_by_definition(yuv: np.ndarray) -> np.ndarray:
    """(3, H, W) to (H * 3/2, W): a loop over pixels, in Python's integers."""
    _, height, width = yuv.shape
    frame = np.zeros((height * 3 // 2, width), dtype=np.uint8)
    for row in range(height):
        for column in range(width):
            frame[row, column] = yuv[0, row, column]
    for row in range(height // 2):
        for column in range(width // 2):
            for channel in (1, 2):
                four = [int(yuv[channel, 2 * row + i, 2 * column + j]) for i in (0, 1) for j in (0, 1)]
                frame[height + row, 2 * column + channel - 1] = int(sum(four) / 4 + 0.5)
    return frame


def codes_by_definition(frame: np.ndarray) -> np.ndarray:
    """(H * 3/2, W) to (3, H, W)."""
    height, width = frame.shape[0] * 2 // 3, frame.shape[1]
    codes = np.zeros((3, height, width), dtype=np.int8)
    for row in range(height):
        for column in range(width):
            pair = frame[height + row // 2, column // 2 * 2 : column // 2 * 2 + 2]
            codes[:, row, column] = [int(byte) - 128 for byte in (frame[row, column], *pair)]
    return codes


@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 2**31))
def test_frames_and_codes_are_as_defined(rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    yuv = rng.integers(0, 256, (2, 3, 2 * rows, 2 * columns), dtype=np.uint8)
    yuv[0] = np.where(yuv[0] < 128, 0, 255)  # extremes
    frames = to_nv12(torch.from_numpy(yuv))
    assert frames.dtype == torch.uint8
    expected = np.stack([frame_by_definition(one) for one in yuv])
    np.testing.assert_array_equal(frames.numpy(), expected)
    codes = chip_codes(frames)
    assert codes.dtype == torch.int8
    np.testing.assert_array_equal(codes.numpy(), np.stack([codes_by_definition(one) for one in expected]))


def test_layout_of_four_pixels() -> None:
    yuv = torch.tensor([[[10, 20], [30, 40]], [[1, 2], [2, 1]], [[255, 255], [255, 254]]], dtype=torch.uint8)
    # Halves are rounded up: 1.5 is 2, 254.75 is 255.
    assert to_nv12(yuv).tolist() == [[10, 20], [30, 40], [2, 255]]
    assert chip_codes(to_nv12(yuv)).tolist() == [
        [[-118, -108], [-98, -88]],
        [[-126, -126], [-126, -126]],
        [[127, 127], [127, 127]],
    ]


def test_what_training_sees_is_a_frame_already() -> None:
    """`BgrToYuv444` passes chroma through NV12, so that a frame made of its bytes gives them back."""
    rgb = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (6, 3, 8, 12), dtype=np.uint8))
    yuv = BgrToYuv444()(rgb)
    assert torch.equal(chip_codes(to_nv12(yuv)), signed(yuv))


def test_every_byte_and_its_code() -> None:
    data = torch.arange(256, dtype=torch.uint8)
    assert signed(data).tolist() == list(range(-128, 128))
    assert torch.equal(unsigned(signed(data)), data)


@pytest.mark.parametrize("size", [(3, 4), (4, 3), (1, 1)])
def test_odd_sizes_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(RunError, match=f"images of {size[0]} x {size[1]} pixels have no NV12 frame"):
        to_nv12(torch.zeros(3, *size, dtype=torch.uint8))
