"""One sample as one picture: six cameras above, the scene from above below."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.atomic_file import write_bytes
from runtime.geometry.camera import CAMERA_NAMES
from runtime.visualization.bev_panel import BevPanel, panel_for
from runtime.visualization.camera_view import draw_camera, score_places
from runtime.visualization.legend import draw_legend
from runtime.visualization.palette import BACKGROUND, CLASS_COLORS, FAINT_TEXT, TEXT
from runtime.visualization.scene import Boxes, Scene
from runtime.visualization.text import TextLayer

Image = NDArray[np.uint8]

CAMERA_WIDTH = 560
PANEL_HEIGHT = 600
GAP = 6
HEADER = 40
MARGIN = 16


def draw_sample(scene: Scene, *, score_threshold: float = 0.3) -> Image:
    """The picture of `scene`, uint8 (h, w, 3) RGB.

    Args:
        scene: the sample and its predictions.
        score_threshold: predicted boxes below it are left out.
    """
    predicted = scene.predicted.above(score_threshold)
    mosaic, text = _mosaic(scene, predicted)
    panels = _panels(scene, predicted)
    width = mosaic.shape[1] + 2 * MARGIN
    top = HEADER + mosaic.shape[0] + 34
    canvas = np.full((top + PANEL_HEIGHT + MARGIN, width, 3), BACKGROUND, dtype=np.uint8)
    _paste(canvas, mosaic, MARGIN, HEADER)
    text.add(MARGIN, 12, f"sample {scene.token}", size=15, color=TEXT, bold=True)
    text.add(
        width - MARGIN,
        13,
        f"predictions with score >= {score_threshold:g}",
        size=13,
        color=FAINT_TEXT,
        anchor="rt",
    )
    x = MARGIN
    for name, panel in panels:
        text.add(x, top - 20, name, size=14, color=TEXT, bold=True)
        _paste(canvas, panel, x, top)
        x += panel.shape[1] + 4 * GAP
    legend_width = width - MARGIN - x
    _paste(canvas, draw_legend(scene, (PANEL_HEIGHT, legend_width), score_threshold), x, top)
    return text.draw(canvas)


def save_sample(path: Path, scene: Scene, *, score_threshold: float = 0.3) -> None:
    """Write the picture of `scene` as PNG.

    Raises:
        RunError: the file cannot be written.
    """
    done, content = cv2.imencode(
        ".png", cv2.cvtColor(draw_sample(scene, score_threshold=score_threshold), cv2.COLOR_RGB2BGR)
    )
    assert done
    write_bytes(path, content.tobytes())


def _mosaic(scene: Scene, predicted: Boxes) -> tuple[Image, TextLayer]:
    """The cameras in view order, three in a row, and their captions in coordinates of the whole picture."""
    height, width = scene.images[0].shape[:2]
    size = (round(CAMERA_WIDTH * height / width), CAMERA_WIDTH)
    mosaic = np.full((2 * size[0] + GAP, 3 * size[1] + 2 * GAP, 3), BACKGROUND, dtype=np.uint8)
    text = TextLayer()
    for view, (image, ego2img) in enumerate(zip(scene.images, scene.ego2img, strict=True)):
        x, y = (view % 3) * (size[1] + GAP), (view // 3) * (size[0] + GAP)
        _paste(mosaic, draw_camera(image, ego2img, scene.truth or Boxes(), predicted, size), x, y)
        for index, u, v in score_places((height, width), ego2img, predicted, size):
            assert predicted.scores is not None
            score = f"{predicted.scores[index]:.2f}".removeprefix("0")
            color = CLASS_COLORS[predicted.labels[index]]
            text.add(
                MARGIN + x + u,
                HEADER + y + v - 3,
                score,
                size=11,
                color=color,
                anchor="mb",
                behind=BACKGROUND,
            )
        caption = CAMERA_NAMES[view].removeprefix("CAM_").replace("_", " ").lower()
        text.add(MARGIN + x + 10, HEADER + y + 9, caption, size=13, color=TEXT, behind=BACKGROUND)
    return mosaic, text


def _panels(scene: Scene, predicted: Boxes) -> list[tuple[str, Image]]:
    """The scene from above: what was predicted, with the true boxes dashed, and what is true.

    Where nobody knows that, the predicted map without boxes takes its place.
    """
    panel = panel_for(scene.bev_size, scene.map_size, PANEL_HEIGHT)
    prediction = _ground(panel, scene, scene.predicted_map)
    panel.draw_boxes(prediction, predicted)
    if scene.truth is None:
        maps = (
            []
            if scene.predicted_map is None
            else [("predicted map", _ground(panel, scene, scene.predicted_map))]
        )
        return [("prediction", prediction), *maps]
    panel.draw_truth(prediction, scene.truth)
    truth = _ground(panel, scene, scene.truth_map)
    panel.draw_boxes(truth, scene.truth)
    return [("prediction", prediction), ("truth", truth)]


def _ground(panel: BevPanel, scene: Scene, labels: NDArray[np.int64] | None) -> Image:
    image = panel.background()
    if labels is not None:
        panel.draw_map(image, labels, scene.map_size)
    panel.draw_rings(image)
    panel.draw_ego(image)
    return image


def _paste(canvas: Image, image: Image, x: int, y: int) -> None:
    canvas[y : y + image.shape[0], x : x + image.shape[1]] = image
