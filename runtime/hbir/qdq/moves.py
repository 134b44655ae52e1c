"""Operations that move codes: their standard operators between DequantizeLinear and QuantizeLinear of one
scale, which optimisers take out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from runtime.hbir.graph import Node
from runtime.hbir.qdq.builder import QdqBuilder


def moved(to: QdqBuilder, node: Node, kind: str, *operands: str, **attributes: Any) -> None:
    """One operator on the only input of a node."""
    result = f"{node.output}:unrounded"
    to.op(kind, to.real(node), *operands, result=result, name=node.name, **attributes)
    to.finish(node, result, bounded=False)


def indices(to: QdqBuilder, node: Node, key: str, values: Sequence[int]) -> str:
    """A constant int64 vector of a node."""
    return to.constant(f"{node.name}:{key}", values, np.int64)


def max_pool(to: QdqBuilder, node: Node) -> None:
    """MaxPool, whose padding never wins."""
    (y, x), stride = node.pair("padding"), node.pair("stride")
    moved(to, node, "MaxPool", kernel_shape=node.pair("kernel"), strides=stride, pads=(y, x, y, x))


def slice_(to: QdqBuilder, node: Node) -> None:
    """Slice along one axis."""
    moved(
        to, node, "Slice", *(indices(to, node, key, [node.integer(key)]) for key in ("start", "stop", "axis"))
    )


def reshape(to: QdqBuilder, node: Node) -> None:
    """Reshape that keeps the first axis."""
    moved(to, node, "Reshape", indices(to, node, "shape", [0, *node.integers("shape")]))


def transpose(to: QdqBuilder, node: Node) -> None:
    """Transpose."""
    moved(to, node, "Transpose", perm=node.integers("order"))


def flip(to: QdqBuilder, node: Node) -> None:
    """Slice with steps of -1."""
    axes, shape = node.integers("axes"), to.type_of(node).shape
    # Below the first pixel even when it is counted from the end.
    stops = [-shape[axis] - 1 for axis in axes]
    back = [-1] * len(axes)
    values = {"starts": back, "stops": stops, "axes": axes, "steps": back}
    moved(to, node, "Slice", *(indices(to, node, key, value) for key, value in values.items()))
