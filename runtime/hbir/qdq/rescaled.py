"""Sums, products, averages, concatenation: one standard operator of inputs at the scales they stand for."""

from __future__ import annotations

from math import prod

import numpy as np

from runtime.hbir.graph import Node
from runtime.hbir.qdq import implied_scales
from runtime.hbir.qdq.builder import QdqBuilder
from runtime.hbir.tensor_type import TensorType


def add(to: QdqBuilder, node: Node) -> None:
    """Add, from the first input to the last, without rounding in between."""
    made = to.type_of(node)
    scales = [implied_scales.of_pair(m, node.integer("shift"), made) for m in node.integers("multipliers")]
    # A multiplier of 0 says that all codes of that input are below half a code of the sum.
    total, *terms = [to.real(node, index, scale) for index, scale in enumerate(scales) if scale]
    for count, term in enumerate(terms, start=1):
        last = count == len(terms)
        total = to.op(
            "Add",
            *(total, term),
            result=f"{made.name}:unrounded" if last else f"{made.name}:sum{count}",
            name=node.name if last else f"{node.name}:sum{count}",
        )
    to.finish(node, total)


def multiply(to: QdqBuilder, node: Node) -> None:
    """Mul; the gate carries what the multiplier says of both."""
    made, x = to.type_of(node), to.graph.types[node.inputs[0]]
    operands = to.real(node), to.real(node, 1, implied_scales.of_node(node, made) / x.scale[0])
    to.finish(node, to.op("Mul", *operands, result=f"{made.name}:unrounded", name=node.name))


def concat(to: QdqBuilder, node: Node) -> None:
    """Concat of channels."""
    made = to.type_of(node)
    pairs = zip(node.integers("multipliers"), node.integers("shifts"), strict=True)
    parts = [to.real(node, i, implied_scales.of_pair(m, k, made)) for i, (m, k) in enumerate(pairs)]
    to.finish(node, to.op("Concat", *parts, result=f"{made.name}:unrounded", name=node.name, axis=1))


def view_sum(to: QdqBuilder, node: Node) -> None:
    """Reshape to (samples, views, C, H, W), which moves codes, then ReduceSum."""
    made, source = to.type_of(node), to.graph.types[node.inputs[0]]
    shape = -1, node.integer("num_views"), *made.shape[1:]
    views = TensorType(f"{node.name}:views", source.dtype, shape, source.scale)
    sizes = to.constant(f"{node.name}:shape", shape, np.int64)
    # Without codes of its own the Reshape makes onnxruntime 1.32 fail, which invents them.
    to.quantize(to.op("Reshape", to.real(node), sizes, result=f"{views.name}:unrounded"), views)
    real = to.dequantized(views, f"{node.name}:input0", implied_scales.of_node(node, made))
    axes = to.constant(f"{node.name}:axes", [1], np.int64)
    total = to.op("ReduceSum", real, axes, result=f"{made.name}:unrounded", name=node.name, keepdims=0)
    to.finish(node, total)


def avg_pool(to: QdqBuilder, node: Node) -> None:
    """AveragePool; the division by the number of pixels leaves the multiplier."""
    made, kernel = to.type_of(node), node.pair("kernel")
    real = to.real(node, scale=implied_scales.of_node(node, made) * prod(kernel))
    pooled = to.op(
        "AveragePool",
        real,
        result=f"{made.name}:unrounded",
        name=node.name,
        kernel_shape=kernel,
        strides=node.pair("stride"),
    )
    to.finish(node, pooled)
