"""Element-wise nodes of either format: of two maps, or of a map and a constant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from runtime.bpu.estimate.float_graph import FloatNode

Describe = Callable[[FloatNode, object], FloatNode]

# What an operation with a constant is; those of two maps keep their own kind.
_WITH_CONSTANT = {
    "add": "add_constant",
    "multiply": "multiply_constant",
    "divide": "multiply_constant",
    "maximum": "clamp",
}


def of_kind(kind: str) -> Describe:
    """Nodes of which nothing but the kind must be known."""

    def describe(node: FloatNode, arguments: object) -> FloatNode:
        return replace(node, kind=kind)

    return describe


def binary(kind: str) -> Describe:
    """Sums, products, quotients and maxima, of two maps or with a constant."""

    def describe(node: FloatNode, arguments: object) -> FloatNode:
        if len(node.inputs) > 1:
            # A maximum compares as many values as a product multiplies.
            return replace(node, kind="multiply" if kind == "maximum" else kind)
        return replace(node, kind=_WITH_CONSTANT[kind])

    return describe
