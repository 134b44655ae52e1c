"""What the colours mean, and how many of each there are."""

import numpy as np
from numpy.typing import NDArray

from runtime.geometry.class_names import DETECTION_CLASSES, MAP_CLASSES
from runtime.visualization.palette import BACKGROUND, CLASS_COLORS, FAINT_TEXT, MAP_COLORS, TEXT
from runtime.visualization.scene import Labels, Scene
from runtime.visualization.text import TextLayer

Image = NDArray[np.uint8]

_ROW = 24
_COLUMN = 70


def draw_legend(scene: Scene, size: tuple[int, int], threshold: float) -> Image:
    """A column of `size` (height, width): boxes predicted and true by class, IoU of the map by class, and
    line styles. Without truth, the area of each map class in place of the IoU."""
    image = np.full((*size, 3), BACKGROUND, dtype=np.uint8)
    text = TextLayer()
    y = _boxes(image, text, scene, threshold, y=4)
    if scene.predicted_map is not None:
        y = _maps(image, text, scene, scene.predicted_map, y=y + 18)
    truth_style = [] if scene.truth is None else ["dashed white: truth"]
    for note in (
        "solid: predicted, front face tinted",
        *truth_style,
        "rings every 10 m, forward is up",
    ):
        text.add(0, y + 22, note, size=13, color=FAINT_TEXT)
        y += 20
    return text.draw(image)


def _boxes(image: Image, text: TextLayer, scene: Scene, threshold: float, *, y: int) -> int:
    width = image.shape[1]
    shown = {"predicted": scene.predicted.above(threshold)}
    if scene.truth is not None:
        shown["true"] = scene.truth
    _heading(text, y, width, "boxes", list(shown))
    y += _ROW
    for label, name in enumerate(DETECTION_CLASSES):
        counts = [int((boxes.labels == label).sum()) for boxes in shown.values()]
        if any(counts):
            _row(image, text, y, width, CLASS_COLORS[label], name, [str(count) for count in counts])
            y += _ROW
    return y


def _maps(image: Image, text: TextLayer, scene: Scene, labels: Labels, *, y: int) -> int:
    width = image.shape[1]
    _heading(text, y, width, "map", ["area" if scene.truth_map is None else "IoU here"])
    y += _ROW
    for label, name in enumerate(MAP_CLASSES[1:], start=1):
        predicted = labels == label
        if scene.truth_map is None:
            value = f"{predicted.sum() * scene.map_size[2] ** 2:.0f} m²"
        else:
            truth = scene.truth_map == label
            union = int((predicted | truth).sum())
            value = f"{(predicted & truth).sum() / union:.2f}" if union else "none"
        _row(image, text, y, width, MAP_COLORS[label], name, [value])
        y += _ROW
    return y


def _heading(text: TextLayer, y: int, width: int, name: str, columns: list[str]) -> None:
    text.add(0, y + 6, name, size=14, color=TEXT, bold=True, anchor="lm")
    for column, x in zip(columns, _places(width, len(columns)), strict=True):
        text.add(x, y + 6, column, size=12, color=FAINT_TEXT, anchor="rm")


def _row(
    image: Image,
    text: TextLayer,
    y: int,
    width: int,
    color: tuple[int, int, int],
    name: str,
    values: list[str],
) -> None:
    image[y : y + 12, 0:12] = color
    text.add(22, y + 6, name.replace("_", " "), size=14, color=TEXT, anchor="lm")
    for value, x in zip(values, _places(width, len(values)), strict=True):
        text.add(x, y + 6, value, size=14, color=TEXT, anchor="rm")


def _places(width: int, count: int) -> list[int]:
    """Right edges of so many columns of values, the last one at the legend's own."""
    return [width - _COLUMN * (count - 1 - column) for column in range(count)]
