"""Text in a readable font: the one that matplotlib brings along."""

from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont

from runtime.visualization.palette import Color

Image = NDArray[np.uint8]


@lru_cache(maxsize=16)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)


class TextLayer:
    """Collects text for an image and draws it at once: converting between libraries costs more than the
    letters."""

    def __init__(self) -> None:
        self._items: list[tuple[float, float, str, int, Color, bool, str, Color | None]] = []

    def add(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: int = 13,
        color: Color = (255, 255, 255),
        bold: bool = False,
        anchor: str = "lt",
        behind: Color | None = None,
    ) -> None:
        """Place text at pixel (x, y); `anchor` as in Pillow (`lt` left top, `mm` middle), `behind` fills a
        plate under it."""
        self._items.append((x, y, text, size, color, bold, anchor, behind))

    def draw(self, image: Image) -> Image:
        """A copy of `image` with the text on it."""
        canvas = PilImage.fromarray(image)
        pen = ImageDraw.Draw(canvas)
        for x, y, text, size, color, bold, anchor, behind in self._items:
            font = _font(size, bold)
            if behind is not None:
                left, top, right, bottom = pen.textbbox((x, y), text, font=font, anchor=anchor)
                pen.rectangle((left - 3, top - 2, right + 2, bottom + 2), fill=behind)
            pen.text((x, y), text, font=font, fill=color, anchor=anchor)
        return np.array(canvas)
