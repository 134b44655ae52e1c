"""Resizing: the Resize operator where it means the same, else the very weights and pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runtime.hbir.graph import Node
from runtime.hbir.qdq import implied_scales
from runtime.hbir.qdq.builder import QdqBuilder
from runtime.hbir.qdq.moves import indices, moved
from runtime.quantization.arithmetic import resize as arithmetic

_HALF_STEP = 1 / 512
"""By how much a weight of 8 fraction bits is off at most."""

_LESS_THAN_A_CODE = 1 - 1 / 512
"""What remains is for the rounding of floating point."""


def nearest(to: QdqBuilder, node: Node) -> None:
    """Resize to a multiple of both sides; to other sizes, where programs differ in the pixel, Gather."""
    old, new = to.graph.types[node.inputs[0]].shape[2:], node.pair("size")
    if all(after % before == 0 for before, after in zip(old, new, strict=True)):
        modes = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        moved(to, node, "Resize", *_sizes(to, node), mode="nearest", **modes)
        return
    rows, columns = (
        indices(to, node, key, arithmetic.nearest_index(before, after).tolist())
        for key, before, after in zip(("rows", "columns"), old, new, strict=True)
    )
    taken = to.op("Gather", to.real(node), rows, result=f"{node.name}:taken", axis=2)
    result = to.op("Gather", taken, columns, result=f"{node.output}:unrounded", name=node.name, axis=3)
    to.finish(node, result, bounded=False)


def bilinear(to: QdqBuilder, node: Node) -> None:
    """Resize where its exact weights move results by less than a code; else MatMul with the rounded ones."""
    source, made = to.graph.types[node.inputs[0]], to.type_of(node)
    scale = implied_scales.of_node(node, made) * arithmetic.WEIGHT_PRODUCT
    real = to.real(node, scale=scale)
    result = f"{made.name}:unrounded"
    axes = list(zip(source.shape[2:], made.shape[2:], strict=True))
    inexact = sum(not _weights_are_exact(before, after) for before, after in axes)
    span = (2.0**source.bits - 1) * scale / made.scale[0]
    if inexact * span * _HALF_STEP < _LESS_THAN_A_CODE:
        to.op(
            *("Resize", real, *_sizes(to, node)),
            result=result,
            name=node.name,
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )
    else:
        rows, columns = (_matrix(before, after) for before, after in axes)
        left = to.constant(f"{node.name}:rows", rows, np.float32)
        right = to.constant(f"{node.name}:columns", columns.T, np.float32)
        stretched = to.op("MatMul", left, real, result=f"{node.name}:stretched")
        to.op("MatMul", stretched, right, result=result, name=node.name)
    to.finish(node, result)


def _sizes(to: QdqBuilder, node: Node) -> tuple[str, ...]:
    """The further inputs of Resize: no region, then scales, or sizes where the scales are no integers."""
    old, new = to.graph.types[node.inputs[0]].shape, to.type_of(node).shape
    if all(after % before == 0 for before, after in zip(old, new, strict=True)):
        ratios = [after // before for before, after in zip(old, new, strict=True)]
        return "", to.constant(f"{node.name}:scales", ratios, np.float32)
    if not to.any_batch:
        return "", "", indices(to, node, "sizes", new)
    kept = to.op("Shape", to.codes(node.inputs[0]), result=f"{node.name}:kept", start=0, end=2)
    sides = indices(to, node, "sides", new[2:])
    return "", "", to.op("Concat", kept, sides, result=f"{node.name}:sizes", axis=0)


def _weights_are_exact(before: int, after: int) -> bool:
    """Whether the 8 fraction bits of an axis hold its weights."""
    # Output pixel i lies at (2 i + 1) * before / (2 * after) - 1/2, a multiple of 1 / (2 * after).
    places = (2 * np.arange(after) + 1) * before - after
    inside = places[(places >= 0) & (places <= 2 * after * (before - 1))]
    return bool((inside * 256 % (2 * after) == 0).all())


def _matrix(before: int, after: int) -> NDArray[np.float64]:
    """(after, before): the weights of an axis."""
    index0, index1, weight0, weight1 = arithmetic.axis_weights(before, after)
    matrix = np.zeros((after, before))
    np.add.at(matrix, (np.arange(after), index0), weight0 / 256)
    np.add.at(matrix, (np.arange(after), index1), weight1 / 256)
    return matrix
