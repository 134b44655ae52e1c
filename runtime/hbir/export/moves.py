"""Operators of torch that move values, as nodes of the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from torch import fx

from runtime.errors import RunError
from runtime.hbir.export.program import number, shape
from runtime.hbir.graph import Attribute
from runtime.hbir.tensor_type import Shape

Parts = list[tuple[str, dict[str, Attribute]]]
"""Operation and attributes of each node that an operator becomes: one for each tensor that it makes, none
where it hands its input on."""

# What hands its input on, in evaluation.
IDENTITIES = frozenset(
    {"contiguous", "clone", "alias", "detach", "detach_", "lift_fresh_copy", "_to_copy", "to"}
)


# What a module of its own is there for, whose name the node then has.
NAMED_BY_MODULE = frozenset({"max_pool2d", "max_pool2d_with_indices", "upsample_nearest2d"})


def _argument(node: fx.Node, position: int, name: str, default: Any) -> Any:
    return node.args[position] if len(node.args) > position else node.kwargs.get(name, default)


def _pair(value: Any) -> tuple[int, int]:
    values = list(value) if isinstance(value, list | tuple) else [value]
    return int(values[0]), int(values[-1])


def _split(node: fx.Node, before: Shape) -> Parts:
    axis = _argument(node, 2, "dim", 0) % len(before)
    stops, parts = 0, []
    for value in node.meta["val"]:
        size = number(value.shape[axis])
        parts.append(_slice_of(axis, stops, stops + size))
        stops += size
    return parts


def _slice_of(axis: int, start: int, stop: int) -> tuple[str, dict[str, Attribute]]:
    return "slice", {"axis": axis, "start": start, "stop": stop}


def _slice(node: fx.Node, before: Shape) -> Parts:
    axis = _argument(node, 1, "dim", 0) % len(before)
    size = before[axis]
    start, stop = _argument(node, 2, "start", 0) or 0, _argument(node, 3, "end", None)
    if _argument(node, 4, "step", 1) != 1:
        raise RunError(f"`{node.target}` takes every n-th value: HBIR has slices without gaps only")
    start = start + size if start < 0 else start
    stop = size if stop is None else min(stop + size if stop < 0 else stop, size)
    return [] if (start, stop) == (0, size) else [_slice_of(axis, start, stop)]


def _narrow(node: fx.Node, before: Shape) -> Parts:
    axis, start, length = node.args[1:4]
    return [_slice_of(int(axis) % len(before), int(start), int(start) + int(length))]  # type: ignore[arg-type]


def _reshape(node: fx.Node, before: Shape) -> Parts:
    after = shape(node)
    if after[:1] != before[:1]:
        raise RunError(
            f"`{node.target}` turns {before} into {after}: the first axis counts maps and must stay"
        )
    return [("reshape", {"shape": after[1:]})]


def _permute(node: fx.Node, before: Shape) -> Parts:
    order = [axis % len(before) for axis in _argument(node, 1, "dims", ())]
    return [("transpose", {"order": tuple(order)})]


def _transpose(node: fx.Node, before: Shape) -> Parts:
    first, second = (int(axis) % len(before) for axis in node.args[1:3])  # type: ignore[arg-type]
    order = list(range(len(before)))
    order[first], order[second] = second, first
    return [("transpose", {"order": tuple(order)})]


def _flip(node: fx.Node, before: Shape) -> Parts:
    axes = sorted(axis % len(before) for axis in _argument(node, 1, "dims", ()))
    return [("flip", {"axes": tuple(axes)})]


def _max_pool(node: fx.Node, before: Shape) -> Parts:
    kernel = _pair(node.args[1])
    stride = _argument(node, 2, "stride", None) or kernel
    if _pair(_argument(node, 4, "dilation", 1)) != (1, 1) or _argument(node, 5, "ceil_mode", False):
        raise RunError(f"`{node.target}` has a dilation or `ceil_mode`, which HBIR's max pooling has not")
    padding = _pair(_argument(node, 3, "padding", 0))
    return [("max_pool", {"kernel": kernel, "stride": _pair(stride), "padding": padding})]


def _nearest(node: fx.Node, before: Shape) -> Parts:
    after = shape(node)
    return [("resize_nearest", {"size": (after[2], after[3])})]


MOVES: Mapping[str, Callable[[fx.Node, Shape], Parts]] = MappingProxyType(
    {
        **dict.fromkeys(("split", "split_with_sizes", "chunk"), _split),
        **dict.fromkeys(("view", "reshape", "_unsafe_view", "flatten", "unflatten"), _reshape),
        **dict.fromkeys(("squeeze", "unsqueeze"), _reshape),
        **dict.fromkeys(("max_pool2d", "max_pool2d_with_indices"), _max_pool),
        "slice": _slice,
        "narrow": _narrow,
        "permute": _permute,
        "transpose": _transpose,
        "flip": _flip,
        "upsample_nearest2d": _nearest,
    }
)
"""By the name of the operator in `aten`."""
