"""The first node, in execution order, whose tensor differs between two runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runtime.hbir.graph import Graph, Node
from runtime.hbir.tensor_type import Shape

Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class CodeDifference:
    """Of two arrays of one shape.

    Args:
        codes: how many there are.
        differing: how many of them differ.
        index: of the first one that does.
        values: both codes there.
        largest: the largest difference.
    """

    codes: int
    differing: int
    index: tuple[int, ...]
    values: tuple[int, int]
    largest: int


@dataclass(frozen=True)
class Difference:
    """Of one tensor.

    Args:
        node: that makes it, in the first graph.
        shapes: in both runs.
        codes: what differs, None for different shapes.
        unknown_inputs: tensors that the node reads of which the second run has no counterpart. Where there
            are none, all that it reads is equal, and the node itself computes otherwise.
    """

    node: Node
    shapes: tuple[Shape, Shape]
    codes: CodeDifference | None
    unknown_inputs: tuple[str, ...]


def tensor_pairs(a: Graph, b: Graph) -> dict[str, str]:
    """Tensors of `a` and those that they are in `b`.

    By position, if the graphs have the same operations in the same order, whatever their names; otherwise by
    name, and tensors of one graph alone are missing.
    """
    if [node.op for node in a.nodes] == [node.op for node in b.nodes]:
        return {one.output: other.output for one, other in zip(a.nodes, b.nodes, strict=True)}
    known = {node.output for node in b.nodes}
    return {node.output: node.output for node in a.nodes if node.output in known}


def first_difference(
    graph: Graph,
    a: Iterable[tuple[str, Int64]],
    b: Iterable[tuple[str, Int64]],
    pairs: Mapping[str, str],
) -> Difference | None:
    """The first tensor that differs, None if all are equal.

    Args:
        graph: the first one.
        a: name and codes of its tensors in the order of its nodes.
        b: of the second one.
        pairs: see `tensor_pairs`.
    """
    equal = {tensor.name for tensor in graph.inputs}
    others = _Others(b, set(pairs.values()))
    for node, (name, found) in zip(graph.nodes, a, strict=True):
        if name not in pairs:
            continue
        other = others.take(pairs[name])
        if not np.array_equal(found, other):
            codes = _code_difference(found, other) if found.shape == other.shape else None
            unknown = tuple(dict.fromkeys(x for x in node.inputs if x not in equal))
            return Difference(node, (found.shape, other.shape), codes, unknown)
        equal.add(name)
    return None


class _Others:
    """Tensors of the second run, kept until they are asked for."""

    def __init__(self, tensors: Iterable[tuple[str, Int64]], wanted: set[str]) -> None:
        self._rest: Iterator[tuple[str, Int64]] = iter(tensors)
        self._wanted = wanted
        self._kept: dict[str, Int64] = {}

    def take(self, name: str) -> Int64:
        while name not in self._kept:
            found, codes = next(self._rest)
            if found in self._wanted:
                self._kept[found] = codes
        return self._kept.pop(name)


def _code_difference(a: Int64, b: Int64) -> CodeDifference:
    differs = a != b
    index = tuple(int(at) for at in np.argwhere(differs)[0])
    return CodeDifference(
        codes=a.size,
        differing=int(differs.sum()),
        index=index,
        values=(int(a[index]), int(b[index])),
        largest=int(np.abs(a - b).max()),
    )
