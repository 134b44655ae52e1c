"""JPEG decoding, at full size or reduced by the decoder itself."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_FLAGS: Final = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
REDUCTIONS: Final = tuple(_FLAGS)


def decode_bgr(data: bytes | memoryview, reduction: int = 1) -> NDArray[np.uint8] | None:
    """The image as uint8 (h, w, 3), channels blue, green, red; None when the data is no whole JPEG.

    With `reduction` r (1, 2, 4 or 8) the decoder leaves out high frequencies and returns ceil(h / r) x
    ceil(w / r) pixels at a fraction of the time. Each of them is the mean of exactly r x r full-size pixels
    counted from the corner, so that the pixel matrix is `scale(1 / r, 1 / r)`, whatever the rounding up.
    The orientation tag is ignored: calibration knows the pixels as they are stored.
    """
    if len(data) == 0:
        return None
    flags = _FLAGS[reduction] | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    except cv2.error:
        return None
    return None if image is None else np.asarray(image, dtype=np.uint8)
