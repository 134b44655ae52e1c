"""Test vectors: graphs of one node with codes that are random, or at the bounds of their type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from runtime.hbir.graph import Attribute, Graph, Node
from runtime.hbir.ops.operation import Case, Operation
from runtime.hbir.tensor_type import Constant, DType, Shape, TensorType

_SAMPLES = 2


def random_codes(rng: np.random.Generator, dtype: DType, shape: Shape) -> np.ndarray:
    """int64 codes: none, some, half or all of them at the bounds of the type, the others anywhere."""
    info = np.iinfo(dtype)
    bounds = rng.choice(np.array([info.min, info.max], dtype=np.int64), size=shape)
    anywhere = rng.integers(info.min, info.max, size=shape, endpoint=True, dtype=np.int64)
    return np.where(rng.random(shape) < rng.choice([0.0, 0.1, 0.5, 1.0]), bounds, anywhere)


def random_rescale(
    rng: np.random.Generator, ratio: float, count: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Multipliers and shifts of ratios up to four times above or below `ratio`, (count,) or ()."""
    shifts = np.clip(15 - np.floor(np.log2(ratio)) + rng.integers(-2, 3, size=count), 1, 47)
    return rng.integers(2**14, 2**15, size=count), shifts.astype(np.int64)


def random_bounds(rng: np.random.Generator, dtype: DType) -> dict[str, Attribute]:
    """`lo` and `hi` of a result: all of the type, those of ReLU, or some of ReLU6."""
    info = np.iinfo(dtype)
    bounds = [(info.min, info.max), (0, info.max), (0, int(rng.integers(1, info.max)))]
    lo, hi = bounds[rng.integers(3)]
    return {"lo": int(lo), "hi": int(hi)}


def case(
    operation: Operation,
    rng: np.random.Generator,
    inputs: Sequence[tuple[DType, Shape]],
    output: DType,
    attributes: Mapping[str, Attribute],
    constants: Mapping[str, Constant] | None = None,
) -> Case:
    """The graph of one node, and codes for two samples."""
    types = tuple(
        TensorType(f"x{index}", dtype, shape, (2.0**-index,)) for index, (dtype, shape) in enumerate(inputs)
    )
    names = tuple(tensor.name for tensor in types)
    node = Node("part.node", operation.name, names, "part.node", dict(attributes), dict(constants or {}))
    shape = operation.output(node, types)
    scale = types[0].scale if operation.moves() else (0.5,)
    if operation.makes_accumulators(node):
        scale = tuple(0.25 + channel for channel in range(shape[1]))
    tensor = TensorType(node.output, output, shape, scale)
    graph = Graph(types, (node,), (tensor,), (tensor.name,))
    codes = {
        tensor.name: random_codes(rng, tensor.dtype, (tensor.shape[0] * _SAMPLES, *tensor.shape[1:]))
        for tensor in types
    }
    return Case(graph, codes)
