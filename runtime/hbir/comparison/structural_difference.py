"""The first place where two graphs are not the same network, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

import numpy as np

from runtime.hbir.graph import Graph, Node
from runtime.hbir.tensor_type import Constant, TensorType


def structural_difference(a: Graph, b: Graph) -> str | None:
    """One sentence about the first difference in execution order, None for equal graphs."""
    return next(_differences(a, b), None)


def _differences(a: Graph, b: Graph) -> Iterator[str]:
    for first, second in zip_longest(a.inputs, b.inputs):
        if first is None or second is None:
            yield f"{_only(first)} has the input `{(first or second).name}`"
        else:
            yield from _tensors("the input", first, second)
    for first, second in zip_longest(a.nodes, b.nodes):
        if first is None or second is None:
            node = first or second
            yield f"{_only(first)} has a node `{node.name}` ({node.op}) behind all nodes of the other"
        elif first != second:
            yield _nodes(a, b, first, second)
        else:
            yield from _tensors("the result of", a.types[first.output], b.types[second.output])
    if a.outputs != b.outputs:
        yield f"the results are {_listed(a.outputs)} in A, {_listed(b.outputs)} in B"


def _only(first: object | None) -> str:
    return "only B" if first is None else "only A"


def _tensors(what: str, a: TensorType, b: TensorType) -> Iterator[str]:
    if a.name != b.name:
        yield f"{what} `{a.name}` of A is `{b.name}` in B"
    elif (a.dtype, a.shape) != (b.dtype, b.shape):
        yield f"{what} `{a.name}` is {a.dtype} {a.shape} in A, {b.dtype} {b.shape} in B"
    elif a.scale != b.scale:
        at = next(i for i, (one, other) in enumerate(zip(a.scale, b.scale, strict=True)) if one != other)
        channel = f" of channel {at}" if len(a.scale) > 1 else ""
        yield f"{what} `{a.name}` has the scale{channel} {a.scale[at]!r} in A, {b.scale[at]!r} in B"


def _nodes(a: Graph, b: Graph, first: Node, second: Node) -> str:
    """What differs between two nodes of one position."""
    named_a, named_b = {node.name for node in a.nodes}, {node.name for node in b.nodes}
    if first.name != second.name:
        if first.name not in named_b and second.name in named_a:
            return f"the node `{first.name}` ({first.op}) is missing in B"
        if second.name not in named_a and first.name in named_b:
            return f"the node `{second.name}` ({second.op}) is missing in A"
        if first.name in named_b:
            return f"the nodes have another order: `{first.name}` in A, `{second.name}` in B"
        if first.op == second.op:
            return f"the node `{first.name}` ({first.op}) of A is `{second.name}` in B"
        return f"the node `{first.name}` ({first.op}) of A is `{second.name}` ({second.op}) in B"
    place = f"the node `{first.name}`"
    if first.op != second.op:
        return f"{place} is {first.op} in A, {second.op} in B"
    place = f"{place} ({first.op})"
    if first.inputs != second.inputs:
        return f"{place} reads {_listed(first.inputs)} in A, {_listed(second.inputs)} in B"
    if first.output != second.output:
        return f"{place} makes `{first.output}` in A, `{second.output}` in B"
    key, one, other = _first_pair(first.attributes, second.attributes)
    if key:
        return f"{place} has {key} {_shown(one)} in A, {_shown(other)} in B"
    key, one, other = _first_pair(first.constants, second.constants)
    return f"{place}: {_constants(key, one, other)}"


def _first_pair(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[str, Any, Any]:
    """The first key whose values differ, and both, None for a missing one; an empty key if all are equal."""
    return next(
        ((key, a.get(key), b.get(key)) for key in {**a, **b} if a.get(key) != b.get(key)), ("", None, None)
    )


def _constants(key: str, a: Constant | None, b: Constant | None) -> str:
    if a is None or b is None:
        return f"only {'B' if a is None else 'A'} has the constant `{key}`"
    if (a.dtype, a.shape) != (b.dtype, b.shape):
        return f"`{key}` is {a.dtype} {a.shape} in A, {b.dtype} {b.shape} in B"
    differs = a.integers != b.integers
    at = tuple(int(index) for index in np.argwhere(differs)[0])
    return (
        f"{int(differs.sum())} of {differs.size} values of `{key}` differ, "
        f"first at {at}: {int(a.integers[at])} in A, {int(b.integers[at])} in B"
    )


def _shown(value: object) -> str:
    return "none" if value is None else str(value)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
