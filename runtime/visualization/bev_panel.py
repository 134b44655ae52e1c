"""The scene from above, forward up: map, boxes, the ego car and range rings.

Convention: in a panel of `scale` pixels a metre, ego (x, y) lies at column (half_y - y) * scale - 0.5 and
row (half_x - x) * scale - 0.5: forward is up, left is left.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from runtime.geometry.boxes import ground_corners
from runtime.visualization.lines import draw_segments, fill_polygon
from runtime.visualization.palette import CLASS_COLORS, EGO, GRID, MAP_COLORS, PANEL, TRUTH
from runtime.visualization.scene import Boxes, Labels

Array = NDArray[np.float64]
Image = NDArray[np.uint8]

_SECONDS_OF_VELOCITY = 1.0
_SLOWEST_ARROW = 0.5
_RING_STEP = 10.0
_EGO_SIZE = (4.1, 1.75)
"""Length and width of the nuScenes car in metres; its frame sits on the rear axle, 1 m from the back."""


@dataclass(frozen=True)
class BevPanel:
    """A square-pixel view of the rectangle of `half_y` x `half_x` metres to each side of the car.

    Args:
        half_y: metres to the left and right.
        half_x: metres to the front and back.
        scale: pixels a metre.
    """

    half_y: float
    half_x: float
    scale: float

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return round(2 * self.half_x * self.scale), round(2 * self.half_y * self.scale)

    def pixels(self, xy: Array) -> Array:
        """Ego metres (..., 2) to pixels (..., 2) of (column, row)."""
        xy = np.asarray(xy, dtype=np.float64)
        return np.stack([self.half_y - xy[..., 1], self.half_x - xy[..., 0]], axis=-1) * self.scale - 0.5

    def background(self) -> Image:
        """An empty panel."""
        return np.full((*self.size, 3), PANEL, dtype=np.uint8)

    def draw_map(self, image: Image, labels: Labels, map_size: tuple[float, float, float]) -> None:
        """Paint map labels (h, w), rows y from right, columns x from back, where their grid lies."""
        half_y, half_x, _ = map_size
        # Rows become columns, and both run the other way.
        picture = labels.T[::-1, ::-1].astype(np.int64)
        rows, columns = picture.shape
        # Panel pixels to cells: affine, both with centres at integers.
        per_row, per_column = rows / (2 * half_x * self.scale), columns / (2 * half_y * self.scale)
        top, left = (self.half_x - half_x) * self.scale, (self.half_y - half_y) * self.scale
        to_cells = np.array(
            [
                [per_column, 0.0, (0.5 - left) * per_column - 0.5],
                [0.0, per_row, (0.5 - top) * per_row - 0.5],
            ]
        )
        height, width = self.size
        (x0, x1), (y0, y1) = (
            (max(0, round(start)), round(size - start)) for start, size in ((left, width), (top, height))
        )
        region = image[y0:y1, x0:x1]
        region[:] = MAP_COLORS[0]
        for label, color in enumerate(MAP_COLORS[1:], start=1):
            mask = (picture == label).astype(np.float32)
            weight = cv2.warpAffine(
                mask,
                to_cells,
                (width, height),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )[y0:y1, x0:x1, None]
            # A steeper edge than the bilinear one keeps lines of one cell crisp when the panel enlarges them.
            weight = np.clip((weight - 0.5) * max(1.0, 0.5 / per_row) + 0.5, 0.0, 1.0)
            region[:] = np.round(region * (1 - weight) + np.asarray(color) * weight).astype(np.uint8)

    def draw_rings(self, image: Image) -> None:
        """Circles around the car every ten metres."""
        centre = np.round(self.pixels(np.zeros(2)) * 16).astype(int).tolist()
        for ring in range(1, int(max(self.half_x, self.half_y) / _RING_STEP) + 1):
            cv2.circle(image, centre, round(ring * _RING_STEP * self.scale * 16), GRID, 1, cv2.LINE_AA, 4)

    def draw_ego(self, image: Image) -> None:
        """The car itself: a plate with a pointed front."""
        length, width = _EGO_SIZE
        back, nose = -1.0, length - 1.0
        outline = np.array(
            [
                [back, width / 2],
                [nose - 1.0, width / 2],
                [nose, 0.0],
                [nose - 1.0, -width / 2],
                [back, -width / 2],
            ]
        )
        fill_polygon(image, self.pixels(outline), EGO, 0.95)

    def draw_boxes(self, image: Image, boxes: Boxes) -> None:
        """Solid outlines in the colour of the class, tinted, with the front edge doubled and the velocity
        of one second."""
        for corners, values, label in zip(
            ground_corners(boxes.values), boxes.values, boxes.labels, strict=True
        ):
            color = CLASS_COLORS[label]
            outline = self.pixels(corners)
            fill_polygon(image, outline, color, 0.35)
            draw_segments(image, _closed(outline), color, thickness=1)
            draw_segments(image, outline[None, :2], color, thickness=3)
            velocity = values[7:9]
            if np.isfinite(velocity).all() and np.hypot(*velocity) > _SLOWEST_ARROW:
                ends = np.stack([values[:2], values[:2] + velocity * _SECONDS_OF_VELOCITY])
                draw_segments(image, self.pixels(ends)[None], color, thickness=1)

    def draw_truth(self, image: Image, boxes: Boxes) -> None:
        """Thin dashed white outlines."""
        for corners in ground_corners(boxes.values):
            draw_segments(image, _closed(self.pixels(corners)), TRUTH, dash=3.0)


def _closed(outline: Array) -> Array:
    """The sides (N, 2, 2) of a polygon (N, 2)."""
    return np.stack([outline, np.roll(outline, -1, axis=0)], axis=1)


def panel_for(
    bev_size: tuple[float, float, float], map_size: tuple[float, float, float], height: int
) -> BevPanel:
    """A panel of `height` pixels that holds the detection grid and the map grid."""
    half_y, half_x = max(bev_size[0], map_size[0]), max(bev_size[1], map_size[1])
    return BevPanel(half_y=half_y, half_x=half_x, scale=height / (2 * half_x))
