"""What a part of a layer's result is made of: boxes of the inputs and constants, and its place.

docs/bpu.md, "What a part is", is the contract with the simulator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runtime.bpu.compiler.box import CHANNELS, ROWS, Box
from runtime.hbir.graph import Node
from runtime.hbir.ops.resize_rows import source_rows
from runtime.hbir.tensor_type import TensorType

_CUT_NOWHERE = ("reshape",)


@dataclass(frozen=True)
class Part:
    """What a box of a result needs.

    Args:
        inputs: one box of each of the node's inputs.
        channels: output channels whose constants it needs; None: constants are needed whole.
        points: rows of constant points that it needs.
        window: see `Instruction`.
    """

    inputs: tuple[Box, ...]
    channels: tuple[int, int] | None = None
    points: tuple[int, int] | None = None
    window: Mapping[str, int] = field(default_factory=dict)


def cuts_rows(node: Node, made: TensorType) -> bool:
    """Whether parts may have some of the rows; points of a grid are rows, too."""
    return len(made.shape) == 4 and node.op not in _CUT_NOWHERE


def channel_step(node: Node, made: TensorType) -> int:
    """Of how many output channels, or a multiple of them, a part may be; all if it cannot be cut."""
    channels = made.shape[CHANNELS] if len(made.shape) > 1 else 1
    if node.op in ("concat", *_CUT_NOWHERE):
        return channels
    if node.op == "conv":
        groups = node.integer("groups")
        return 1 if groups == 1 else channels // groups
    return 1


def part_of(node: Node, inputs: Sequence[TensorType], made: TensorType, box: Box) -> Part:
    """What `box` of a node's result is made of; whole maps of the tensors are those of one turn."""
    match node.op:
        case "conv":
            return _conv(node, inputs, made, box)
        case "linear":
            return Part((Box.whole(inputs[0].shape),), channels=box.range(CHANNELS))
        case "max_pool" | "avg_pool":
            return _pool(node, inputs, made, box)
        case "resize_bilinear" | "resize_nearest":
            return _resize(node, inputs, made, box)
        case "grid_sample":
            return _grid_sample(inputs, box)
        case "multiply":
            return _multiply(inputs, box)
        case "concat":
            return Part(tuple(_all_channels(box, tensor.shape[CHANNELS]) for tensor in inputs))
        case "view_sum":
            maps, views = inputs[0].shape[0], node.integer("num_views")
            assert box.range(0) == (0, maps // views), "views of some maps only"
            return Part((box.with_axis(0, 0, maps),))
        case "slice":
            axis, start = node.integer("axis"), node.integer("start")
            first, last = box.range(axis)
            return Part((box.with_axis(axis, first + start, last + start),))
        case "flip":
            return _flip(node, made, box)
        case "transpose":
            return _transpose(node, box)
        case "reshape":
            return Part((Box.whole(inputs[0].shape),))
        case _:
            return Part((box,) * len(inputs))


def _all_channels(box: Box, channels: int) -> Box:
    return box.with_axis(CHANNELS, 0, channels)


def _rows(box: Box, size: int, *, step: int, pad: int, reach: int) -> tuple[Box, dict[str, int]]:
    """Rows that windows cover, and how many of padding they cover above and below."""
    first, last = box.range(ROWS)
    top, bottom = first * step - pad, (last - 1) * step - pad + reach
    covered = box.with_axis(ROWS, max(top, 0), min(bottom, size))
    return covered, {"pad_top": max(-top, 0), "pad_bottom": max(bottom - size, 0)}


def _conv(node: Node, inputs: Sequence[TensorType], made: TensorType, box: Box) -> Part:
    (_, channels, height, width), groups = inputs[0].shape, node.integer("groups")
    reach = node.pair("dilation")[0] * (node.constants["weight"].shape[2] - 1) + 1
    covered, window = _rows(
        box, height, step=node.pair("stride")[0], pad=node.pair("padding")[0], reach=reach
    )
    first, last = box.range(CHANNELS)
    if groups == 1:
        wanted = (0, channels)
    else:
        outputs = made.shape[CHANNELS] // groups
        wanted = (first // outputs * (channels // groups), last // outputs * (channels // groups))
    source = covered.with_axis(CHANNELS, *wanted).with_axis(3, 0, width)
    return Part((source, *[box] * (len(inputs) - 1)), channels=(first, last), window=window)


def _pool(node: Node, inputs: Sequence[TensorType], made: TensorType, box: Box) -> Part:
    _, _, height, width = inputs[0].shape
    pad = node.pair("padding")[0] if node.op == "max_pool" else 0
    covered, window = _rows(box, height, step=node.pair("stride")[0], pad=pad, reach=node.pair("kernel")[0])
    return Part((covered.with_axis(3, 0, width),), window=window if node.op == "max_pool" else {})


def _resize(node: Node, inputs: Sequence[TensorType], made: TensorType, box: Box) -> Part:
    _, _, height, width = inputs[0].shape
    first, last = source_rows(node.op, height, made.shape[ROWS], *box.range(ROWS))
    return Part(
        (box.with_axis(ROWS, first, last).with_axis(3, 0, width),),
        window={"first_row": box.start[ROWS], "source_row": first},
    )


def _grid_sample(inputs: Sequence[TensorType], box: Box) -> Part:
    maps = Box.whole(inputs[0].shape).with_axis(CHANNELS, *box.range(CHANNELS))
    rows = box.range(ROWS)
    if len(inputs) == 1:
        return Part((maps,), points=rows)
    return Part((maps, Box.whole(inputs[1].shape).with_axis(1, *rows)))


def _multiply(inputs: Sequence[TensorType], box: Box) -> Part:
    gate = inputs[1].shape
    if gate != inputs[0].shape:
        return Part((box, Box.whole(gate).with_axis(CHANNELS, *box.range(CHANNELS))))
    return Part((box, box))


def _flip(node: Node, made: TensorType, box: Box) -> Part:
    for axis in node.integers("axes"):
        first, last = box.range(axis)
        size = made.shape[axis]
        box = box.with_axis(axis, size - last, size - first)
    return Part((box,))


def _transpose(node: Node, box: Box) -> Part:
    order = node.integers("order")
    start, stop = [0] * len(order), [0] * len(order)
    for axis, source in enumerate(order):
        start[source], stop[source] = box.range(axis)
    return Part((Box(tuple(start), tuple(stop)),))
