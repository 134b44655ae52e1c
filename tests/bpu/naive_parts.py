"""Which values of its inputs a box of a node's result is made of, by listing them one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product

import numpy as np

from runtime.bpu.program.instruction import Window
from runtime.hbir.graph import Node
from runtime.hbir.tensor_type import TensorType
from runtime.quantization.arithmetic.resize import axis_weights, nearest_index

Range = tuple[int, int]
Box = tuple[Range, ...]
"""From where to where along each axis."""


@dataclass(frozen=True)
class Part:
    """Boxes of inputs and of constants that are not needed whole, and the window."""

    inputs: tuple[Box, ...]
    constants: Mapping[str, Box] = field(default_factory=dict)
    window: Mapping[Window, int] = field(default_factory=dict)


def whole(shape: Sequence[int]) -> Box:
    return tuple((0, size) for size in shape)


def random_boxes(node: Node, made: TensorType, rng: np.random.Generator) -> Iterator[Box]:
    """Boxes that cover a node's result, cut along maps, channels and rows where that is possible."""
    axes = [_cuts(rng, size, _step(node, made, axis)) for axis, size in enumerate(made.shape)]
    yield from product(*axes)


def _step(node: Node, made: TensorType, axis: int) -> int:
    """Of how many values along an axis parts are made."""
    size = made.shape[axis]
    if axis > 2 or (axis == 2 and len(made.shape) != 4) or (node.op == "reshape" and axis):
        return size
    if axis == 1 and node.op == "concat":
        return size
    if axis == 1 and node.op == "conv":
        return size // node.integer("groups") if node.integer("groups") > 1 else 1
    if axis == 0 and node.op == "view_sum":
        return size
    return 1


def _cuts(rng: np.random.Generator, size: int, step: int) -> list[Range]:
    inner = [at for at in range(step, size, step) if rng.random() < 0.4]
    return list(pairwise([0, *inner, size]))


def part_of(node: Node, inputs: Sequence[TensorType], box: Box) -> Part:
    """What a box of the result is made of."""
    if node.op in ("conv", "max_pool", "avg_pool"):
        return _windowed(node, inputs, box)
    if node.op == "linear":
        return Part((_set(whole(inputs[0].shape), {0: box[0]}),), _outputs(node, box[1]))
    if node.op in ("resize_bilinear", "resize_nearest"):
        height, rows = inputs[0].shape[2], node.pair("size")[0]
        if node.op == "resize_nearest":
            needed = nearest_index(height, rows)[slice(*box[2])].tolist()
        else:
            first, second, _, _ = axis_weights(height, rows)
            needed = [*first[slice(*box[2])].tolist(), *second[slice(*box[2])].tolist()]
        source = _set(whole(inputs[0].shape), {0: box[0], 1: box[1], 2: (min(needed), max(needed) + 1)})
        return Part((source,), window={"first_row": box[2][0], "source_row": min(needed)})
    if node.op == "grid_sample":
        maps = _set(whole(inputs[0].shape), {0: box[0], 1: box[1]})
        if "points" in node.constants:
            points = _set(whole(node.constants["points"].shape), {1: box[2]})
            return Part((maps,), {"points": points})
        return Part((maps, _set(whole(inputs[1].shape), {0: box[0], 1: box[2]})))
    if node.op == "view_sum":
        return Part((_set(box, {0: (0, inputs[0].shape[0])}),))
    if node.op == "concat":
        return Part(tuple(_set(box, {1: (0, tensor.shape[1])}) for tensor in inputs))
    if node.op == "slice":
        axis = node.integer("axis")
        start = node.integer("start")
        return Part((_set(box, {axis: (box[axis][0] + start, box[axis][1] + start)}),))
    if node.op == "flip":
        shape = inputs[0].shape
        return Part(
            (_set(box, {a: (shape[a] - box[a][1], shape[a] - box[a][0]) for a in node.integers("axes")}),)
        )
    if node.op == "transpose":
        order = node.integers("order")
        return Part((tuple(box[order.index(axis)] for axis in range(len(order))),))
    if node.op == "reshape":
        return Part((_set(whole(inputs[0].shape), {0: box[0]}),))
    # The gate of a product has one row and one column.
    return Part(
        tuple(
            tuple((0, 1) if size == 1 else range_ for size, range_ in zip(tensor.shape, box, strict=True))
            for tensor in inputs
        )
    )


def _set(box: Box, changed: Mapping[int, Range]) -> Box:
    return tuple(changed.get(axis, range_) for axis, range_ in enumerate(box))


def _outputs(node: Node, channels: Range) -> dict[str, Box]:
    return {key: (channels, *whole(constant.shape[1:])) for key, constant in node.constants.items()}


def _windowed(node: Node, inputs: Sequence[TensorType], box: Box) -> Part:
    _, channels, height, _ = inputs[0].shape
    taps = node.constants["weight"].shape[2] if node.op == "conv" else node.pair("kernel")[0]
    dilation = node.pair("dilation")[0] if node.op == "conv" else 1
    pad = node.pair("padding")[0] if node.op != "avg_pool" else 0
    step = node.pair("stride")[0]
    needed = sorted({row * step - pad + tap * dilation for row in range(*box[2]) for tap in range(taps)})
    # Windows also cover the rows between the taps.
    covered = range(needed[0], needed[-1] + 1)
    rows = [row for row in covered if 0 <= row < height]
    changed: dict[int, Range] = {0: box[0], 1: box[1], 2: (rows[0], rows[-1] + 1)}
    constants: dict[str, Box] = {}
    if node.op == "conv":
        groups = node.integer("groups")
        outputs = len(node.constants["weight"].array) // groups
        used = sorted({channel // outputs for channel in range(*box[1])})
        changed[1] = (used[0] * channels // groups, (used[-1] + 1) * channels // groups)
        constants = _outputs(node, box[1])
    window: dict[Window, int] = {
        "pad_top": sum(row < 0 for row in covered),
        "pad_bottom": sum(row >= height for row in covered),
    }
    source = _set(whole(inputs[0].shape), changed)
    return Part((source, *[box] * (len(inputs) - 1)), constants, {} if node.op == "avg_pool" else window)
