"""Sizes that a reviewer asks for: of the images, and of the grids in cells."""

from __future__ import annotations

from specgen.document import Node
from specgen.inference.image_size import image_size
from specgen.inference.model_features import VIEW_TRANSFORMER


def sizes(root: Node) -> dict[str, str]:
    """Images in pixels, BEV grid and segmentation grids in cells, each (height x width)."""
    found = {}
    size = image_size(root)
    if size is not None:
        found["images"] = f"{size} pixels"
    grid = root.get(*VIEW_TRANSFORMER, "bev_size")
    if grid is not None:
        found["BEV grid"] = _cells(grid)
    for decoder in root.at("model", "bev_decoders").elements():
        task = decoder.get("task_size")
        if task is not None:
            found[f"map of {decoder.plain_at('name')}"] = _cells(task)
    return found


def _cells(grid: Node) -> str:
    half_y, half_x, side = grid.plain()
    return f"{round(2 * half_y / side)} x {round(2 * half_x / side)} cells of {side:g} m"
