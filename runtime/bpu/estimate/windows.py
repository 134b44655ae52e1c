"""Arguments of convolutions and pools in either format as the window of a `FloatNode`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runtime.bpu.estimate.float_graph import FloatNode
from runtime.bpu.operation import Shape

Pair = tuple[int, int]


def pair(values: int | Sequence[int], *, single: int) -> Pair:
    """(down, across) of one or two values; `single` is the other side of a window of one dimension."""
    if isinstance(values, int):
        return values, values
    return (single, int(values[0])) if len(values) == 1 else (int(values[0]), int(values[1]))


def same_padding(source: Shape, out: Shape, kernel: Pair, stride: Pair, dilation: Pair) -> Pair:
    """The larger side of the padding with which a window gives `out` pixels of `source`."""
    sides = zip(source[-2:], out[-2:], kernel, stride, dilation, strict=True)
    down, across = (
        max(0, (outs - 1) * step + (size - 1) * spread + 1 - pixels)
        for pixels, outs, size, step, spread in sides
    )
    return (down + 1) // 2, (across + 1) // 2


def is_image(node: FloatNode) -> bool:
    """Whether a node reads and makes maps (B, C, H, W), or (B, C, L)."""
    return len(node.in_shapes[0]) == len(node.out_shape) and len(node.out_shape) in (3, 4)


def not_a_map(node: FloatNode) -> FloatNode:
    """A node that stays unknown because of its rank."""
    return replace(node, kind="unknown", reason=f"its tensors have {len(node.in_shapes[0])} dimensions")


def adaptive_pool(node: FloatNode, kind: str) -> FloatNode:
    """A pool whose window follows from the sizes: the one that tiles the map, or covers each of its cells."""
    if not is_image(node):
        return not_a_map(node)
    sides = list(zip(node.in_shapes[0][2:], node.out_shape[2:], strict=True))
    kernel = pair([-(-size // out) for size, out in sides], single=1)
    stride = pair([max(1, size // out) for size, out in sides], single=1)
    return replace(node, kind=kind, kernel=kernel, stride=stride)
