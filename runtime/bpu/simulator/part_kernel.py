"""What a part of a layer computes: the layer's operation on the boxes that an instruction names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from runtime.errors import RunError
from runtime.hbir.graph import Attribute, Node
from runtime.hbir.ops import OPERATIONS
from runtime.hbir.ops.operation import Kernel
from runtime.hbir.ops.resize_rows import resize_rows
from runtime.hbir.tensor_type import Shape, TensorType

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Part:
    """Of a layer.

    Args:
        node: the layer, with those of its constants that the part needs.
        whole: types of what the layer reads.
        given: types of the boxes that the part reads.
        made: shape of the box that it makes.
        result: shape of the layer's result.
        window: as in `Instruction`.
    """

    node: Node
    whole: Sequence[TensorType]
    given: Sequence[TensorType]
    made: Shape
    result: Shape
    window: Mapping[str, int]


def part_kernel(part: Part) -> Kernel:
    """A function of float32 codes of the inputs' boxes to those of the output's box.

    Raises:
        RunError: the inputs do not give exactly the output.
    """
    build = _BUILDERS.get(part.node.op, _plain)
    return build(part)


def _plain(part: Part, **changed: Attribute) -> Kernel:
    """The operation itself on the boxes, some attributes changed."""
    node = replace(part.node, attributes={**part.node.attributes, **changed})
    operation = OPERATIONS[node.op]
    _need_shape(part, operation.output(node, part.given))
    return operation.kernel(node, part.given, _CPU)


def _need_shape(part: Part, shape: Shape) -> None:
    if shape != part.made:
        given = ", ".join(str(tensor.shape) for tensor in part.given)
        raise RunError(f"makes {shape} of {given}, not {part.made}")


def _need_columns(part: Part) -> None:
    if part.given[0].shape[3] != part.whole[0].shape[3]:
        raise RunError(f"has {part.given[0].shape[3]} of {part.whole[0].shape[3]} columns")


def _padded(part: Part, fill: Callable[[TensorType], int], **changed: Attribute) -> Kernel:
    """The operation on rows with padding beside them, as many as the window says."""
    _need_columns(part)
    own, side = part.node.pair("padding")
    top, bottom = part.window.get("pad_top", own), part.window.get("pad_bottom", own)
    if max(top, bottom) > own:
        raise RunError(f"pads {top} rows above and {bottom} below, its layer pads {own}")
    x = part.given[0]
    batch, channels, rows, columns = x.shape
    taller = replace(x, shape=(batch, channels, rows + top + bottom, columns))
    inner = _plain(replace(part, given=(taller, *part.given[1:])), padding=(0, side), **changed)
    value = fill(x)
    return lambda x, *more: inner(F.pad(x, (0, 0, top, bottom), value=value), *more)


def _conv(part: Part) -> Kernel:
    channels, weight = part.given[0].shape[1], part.node.constants["weight"].shape
    groups, rest = divmod(channels, weight[1])
    whole_groups = part.node.integer("groups")
    in_group = part.result[1] // whole_groups
    # Either some of one group's outputs, or all outputs of some groups.
    fits = weight[0] <= in_group if groups == 1 else weight[0] == groups * in_group
    if rest or not 1 <= groups <= whole_groups or not fits:
        raise RunError(f"has weights {weight} for {channels} channels of a layer of {whole_groups} groups")
    return _padded(part, lambda _: 0, groups=groups)


def _max_pool(part: Part) -> Kernel:
    return _padded(part, lambda x: -(2 ** (x.bits - 1)))


def _avg_pool(part: Part) -> Kernel:
    _need_columns(part)
    return _plain(part)


def _resize(part: Part) -> Kernel:
    _need_columns(part)
    height, size = part.whole[0].shape[2], part.node.pair("size")
    _need_shape(part, (*part.given[0].shape[:2], part.made[2], size[1]))
    if not part.window:
        if part.given[0].shape[2] != height:
            raise RunError(f"has {part.given[0].shape[2]} of {height} rows, and no window")
        return _plain(part)
    return resize_rows(
        part.node,
        part.given,
        height=height,
        source_row=part.window["source_row"],
        first_row=part.window["first_row"],
        rows=part.made[2],
    )


def _grid_sample(part: Part) -> Kernel:
    if part.given[0].shape[2:] != part.whole[0].shape[2:]:
        raise RunError(f"samples {part.given[0].shape} of maps of {part.whole[0].shape}")
    return _plain(part)


def _slice(part: Part) -> Kernel:
    axis = part.node.integer("axis")
    if part.given[0].shape == part.made:
        return _same
    if part.given[0].shape[axis] != part.whole[0].shape[axis]:
        raise RunError(f"has {part.given[0].shape} of {part.whole[0].shape}, to be cut along axis {axis}")
    return _plain(part)


def _same(x: Tensor) -> Tensor:
    return x


def _reshape(part: Part) -> Kernel:
    return _plain(part, shape=part.made[1:])


_BUILDERS: Mapping[str, Callable[[Part], Kernel]] = {
    "conv": _conv,
    "max_pool": _max_pool,
    "avg_pool": _avg_pool,
    "resize_bilinear": _resize,
    "resize_nearest": _resize,
    "grid_sample": _grid_sample,
    "slice": _slice,
    "reshape": _reshape,
}
