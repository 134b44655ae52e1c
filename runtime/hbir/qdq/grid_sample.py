"""Sampling at points: GridSample, with points in its coordinates.

Convention: a point (column, row) counts pixels, integers are their centres. GridSample with align_corners=0
wants `(2 p + 1) / size - 1`: -1 and 1 are the outer edges of the map.
"""

from __future__ import annotations

import numpy as np

from runtime.hbir.graph import Node
from runtime.hbir.qdq import implied_scales
from runtime.hbir.qdq.builder import QdqBuilder
from runtime.quantization.arithmetic.rescale import code_range

_RENAMED = 20
"""Opset from which on bilinear sampling is called linear."""


def grid_sample(to: QdqBuilder, node: Node) -> None:
    """GridSample, bilinear, zeros outside."""
    made, fraction_bits = to.type_of(node), node.integer("fraction_bits")
    scale = implied_scales.of_node(node, made) * 4.0**fraction_bits
    sampled = to.op(
        "GridSample",
        *(to.real(node, scale=scale), _grid(to, node, 2.0**-fraction_bits)),
        result=f"{made.name}:unrounded",
        name=node.name,
        mode="bilinear" if to.opset < _RENAMED else "linear",
        padding_mode="zeros",
        align_corners=0,
    )
    to.finish(node, sampled)


def _grid(to: QdqBuilder, node: Node, step: float) -> str:
    """Points (B, h, w, 2) in coordinates of GridSample; `step` pixels are one code."""
    height, width = to.graph.types[node.inputs[0]].shape[2:]
    size = np.array([width, height], dtype=np.float64)
    if "points" in node.constants:
        return _shared(to, node, (2 * node.codes("points") * step + 1) / size - 1)
    points = node.inputs[1]
    if points in to.coordinates:
        codes, unit = rounded_points(to, points), step
    else:
        codes, unit = to.real(node, 1, step), 1.0
    factor = to.constant(f"{node.name}:per_point", 2 * unit / size, np.float32)
    offset = to.constant(f"{node.name}:first_pixel", 1 / size - 1, np.float32)
    grown = to.op("Mul", codes, factor, result=f"{node.name}:scaled_points")
    return to.op("Add", grown, offset, result=f"{node.name}:grid")


def _shared(to: QdqBuilder, node: Node, grid: np.ndarray) -> str:
    """Points of one map, for all maps."""
    maps = to.graph.types[node.inputs[0]].shape[0]
    if not to.any_batch:
        return to.constant(f"{node.name}:grid", np.repeat(grid, maps, axis=0), np.float32)
    one = to.constant(f"{node.name}:points", grid, np.float32)
    count = to.op("Shape", to.codes(node.inputs[0]), result=f"{node.name}:maps", start=0, end=1)
    ones = to.constant(":ones", [1, 1, 1], np.int64)
    shape = to.op("Concat", count, ones, result=f"{node.name}:points_shape", axis=0)
    return to.op("Expand", one, shape, result=f"{node.name}:grid")


def rounded_points(to: QdqBuilder, name: str) -> str:
    """Codes of an input that is read as points only, as floating point: `clamp(floor(p / step + 1/2))`."""
    made = f"{name}:rounded"
    if any(node.output[0] == made for node in to.nodes):
        return made
    tensor = to.graph.types[name]
    low, high = code_range(tensor.bits)
    numbers = {"per_unit": 1 / tensor.scale[0], "half": 0.5, "lowest": low, "highest": high}
    per_unit, half, lowest, highest = (
        to.constant(f"{name}:{key}", value, np.float32) for key, value in numbers.items()
    )
    steps = to.op("Mul", name, per_unit, result=f"{name}:in_steps")
    floor = to.op("Floor", to.op("Add", steps, half, result=f"{name}:half_up"), result=f"{name}:whole")
    return to.op("Clip", floor, lowest, highest, result=made)
