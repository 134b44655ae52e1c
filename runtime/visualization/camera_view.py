"""One camera image with 3D boxes on it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.geometry import pixel_matrix
from runtime.geometry.boxes import box_corners
from runtime.visualization.clip_segments import NEAR, project_segments
from runtime.visualization.lines import draw_segments, fill_polygon
from runtime.visualization.palette import CLASS_COLORS, TRUTH
from runtime.visualization.scene import Boxes

Array = NDArray[np.float64]
Image = NDArray[np.uint8]

# Corners 0 to 3 are the front, 4 to 7 the back, in the same turn.
_FRONT = (0, 1, 2, 3)
EDGES = (
    *((corner, (corner + 1) % 4) for corner in range(4)),
    *((4 + corner, 4 + (corner + 1) % 4) for corner in range(4)),
    *((corner, corner + 4) for corner in range(4)),
)
_SMALLEST_LABELLED = 22
"""Pixels of height from which a box gets its score written."""
_STARTS, _ENDS = (list(column) for column in zip(*EDGES, strict=True))


def draw_camera(image: Image, ego2img: Array, truth: Boxes, predicted: Boxes, size: tuple[int, int]) -> Image:
    """The image resized to `size`, with truth thin, white and dashed and predictions in the colour of their
    class.

    Args:
        image: uint8 (h, w, 3) RGB.
        ego2img: (4, 4) for that image.
        truth: annotated boxes.
        predicted: predicted boxes, drawn in their order; the front face is tinted.
        size: (height, width) of the result.
    """
    height, width = image.shape[:2]
    matrix = pixel_matrix.resize((height, width), size) @ ego2img
    interpolation = cv2.INTER_AREA if size[0] < height else cv2.INTER_CUBIC
    canvas: Image = cv2.resize(image, size[::-1], interpolation=interpolation).astype(np.uint8)
    for corners, label in zip(box_corners(predicted.values), predicted.labels, strict=True):
        color = CLASS_COLORS[label]
        front = corners[list(_FRONT)]
        if ((front @ matrix[2, :3] + matrix[2, 3]) > NEAR).all():
            fill_polygon(canvas, project_segments(front, front, matrix)[:, 0], color, 0.35)
        draw_segments(canvas, box_edges(corners, matrix), color, thickness=2)
    # On top of the predictions: where both agree, both stay visible.
    for corners in box_corners(truth.values):
        draw_segments(canvas, box_edges(corners, matrix), TRUTH, dash=4.0)
    return canvas


def score_places(
    image_size: tuple[int, int], ego2img: Array, boxes: Boxes, size: tuple[int, int]
) -> list[tuple[int, float, float]]:
    """Where to write the scores: (index of the box, u, v of its top) for boxes that are large enough in an
    image of `size`."""
    matrix = pixel_matrix.resize(image_size, size) @ ego2img
    places = []
    for index, corners in enumerate(box_corners(boxes.values)):
        if not ((corners @ matrix[2, :3] + matrix[2, 3]) > NEAR).all():
            continue
        uv = project_segments(corners, corners, matrix)[:, 0]
        (left, top), (right, bottom) = uv.min(axis=0), uv.max(axis=0)
        middle = (left + right) / 2
        if bottom - top > _SMALLEST_LABELLED and 12 < middle < size[1] - 12 and 12 < top < size[0]:
            places.append((index, float(middle), float(top)))
    return places


def box_edges(corners: Array, ego2img: Array) -> Array:
    """Pixels (M, 2, 2) of the edges of a box (8, 3) that lie in front of the camera, at most twelve."""
    return project_segments(corners[_STARTS], corners[_ENDS], ego2img)
