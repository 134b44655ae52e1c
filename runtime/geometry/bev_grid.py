"""The bird's-eye-view grid: which ego metres a cell stands for.

Convention:
    Ego frame: x forward, y left, metres. Cell (row i, column j) has its centre at
    y = -half_y + (i + 0.5) * resolution, x = -half_x + (j + 0.5) * resolution.
    Row 0 is the right side of the car, column 0 lies behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_WHOLE_CELLS_TOLERANCE = 1e-6


@dataclass(frozen=True)
class BevGrid:
    """A rectangle centred on the ego car, cut into square cells.

    Args:
        half_y: metres from the car to the left and to the right edge.
        half_x: metres from the car to the front and to the back edge.
        resolution: side of a cell in metres.

    Raises:
        ValueError: a value is not positive, or a side is not a whole number of cells.
    """

    half_y: float
    half_x: float
    resolution: float

    def __post_init__(self) -> None:
        for name in ("half_y", "half_x", "resolution"):
            value = getattr(self, name)
            if not np.isfinite(value) or value <= 0:
                raise ValueError(f"BEV grid: {name} is {value}, expected a positive number of metres")
        for name in ("half_y", "half_x"):
            cells = 2 * getattr(self, name) / self.resolution
            if abs(cells - round(cells)) > _WHOLE_CELLS_TOLERANCE * max(1.0, cells):
                raise ValueError(
                    f"BEV grid: 2 * {name} = {2 * getattr(self, name)} m is {cells:.4f} cells of "
                    f"{self.resolution} m, expected a whole number"
                )

    @classmethod
    def from_size(cls, bev_size: Sequence[float]) -> BevGrid:
        """The grid of a `(half_y, half_x, metres_per_cell)` triple, as specs write it."""
        if len(bev_size) != 3:
            raise ValueError(
                f"expected (half_y, half_x, metres_per_cell), got {len(bev_size)} values: {tuple(bev_size)}"
            )
        half_y, half_x, resolution = (float(value) for value in bev_size)
        return cls(half_y, half_x, resolution)

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in cells."""
        return round(2 * self.half_y / self.resolution), round(2 * self.half_x / self.resolution)

    def scaled(self, factor: float) -> BevGrid:
        """The same metres with `factor` times as many cells along each side."""
        return BevGrid(self.half_y, self.half_x, self.resolution / factor)

    def centres(self) -> NDArray[np.float64]:
        """Ego (x, y) of every cell centre: (H, W, 2), metres."""
        height, width = self.shape
        y = -self.half_y + (np.arange(height) + 0.5) * self.resolution
        x = -self.half_x + (np.arange(width) + 0.5) * self.resolution
        grid_x, grid_y = np.meshgrid(x, y)
        return np.stack([grid_x, grid_y], axis=-1)

    def metres_to_cells(self, xy: ArrayLike) -> NDArray[np.float64]:
        """Ego metres (..., 2) [x, y] to continuous (column, row); the centre of cell (i, j) is (j, i)."""
        offset = np.array([self.half_x, self.half_y])
        return (np.asarray(xy, dtype=np.float64) + offset) / self.resolution - 0.5

    def contains(self, xy: ArrayLike) -> NDArray[np.bool_]:
        """Which of the ego points (..., 2) lie on the grid; the front and left edges are outside."""
        points = np.asarray(xy, dtype=np.float64)
        x, y = points[..., 0], points[..., 1]
        return (x >= -self.half_x) & (x < self.half_x) & (y >= -self.half_y) & (y < self.half_y)
