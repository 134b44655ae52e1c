"""Convolutions and linear layers: int8 weights, int32 biases, dequantised for each output channel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runtime.hbir.graph import Node
from runtime.hbir.ops.operation import CODES
from runtime.hbir.qdq import implied_scales
from runtime.hbir.qdq.builder import QdqBuilder


def conv(to: QdqBuilder, node: Node) -> None:
    """Conv, Add of the residual, Relu or Clip, QuantizeLinear; of a result in accumulators the Conv alone."""
    y, x = node.pair("padding")
    made = to.type_of(node)
    window = {
        "kernel_shape": node.constants["weight"].shape[2:],
        "strides": node.pair("stride"),
        "pads": (y, x, y, x),
        "dilations": node.pair("dilation"),
        "group": node.integer("groups"),
    }
    real = to.op("Conv", *_operands(to, node), result=_result(to, node), name=node.name, **window)
    if len(node.inputs) > 1:
        scale = implied_scales.of_residual(node, to.graph.types[node.inputs[1]], made)
        if np.any(scale):
            real = to.op("Add", real, to.real(node, 1, scale), result=f"{made.name}:sum")
    _finish(to, node, real)


def linear(to: QdqBuilder, node: Node) -> None:
    """Gemm, Relu or Clip, QuantizeLinear; of a result in accumulators the Gemm alone."""
    _finish(to, node, to.op("Gemm", *_operands(to, node), result=_result(to, node), name=node.name, transB=1))


def _operands(to: QdqBuilder, node: Node) -> tuple[str, str, str]:
    """Input, weights and bias, real numbers."""
    source = to.graph.types[node.inputs[0]].scale[0]
    weights = (implied_scales.of_accumulator(node, to.type_of(node)) / source).astype(np.float32)
    # The product in float32, as int8 kernels, which are not told the scale of the biases, take it.
    biases = weights * np.float32(source)
    return to.real(node), _dequantized(to, node, "weight", weights), _dequantized(to, node, "bias", biases)


def _dequantized(to: QdqBuilder, node: Node, key: str, scales: NDArray[np.float32]) -> str:
    constant = node.constants[key]
    name = f"{node.name}:{key}"
    return to.op(
        "DequantizeLinear",
        to.constant(f"{name}_codes", constant.array, constant.dtype),
        to.constant(f"{name}_scale", scales, np.float32),
        to.constant(f"{name}_zero", np.zeros(len(scales)), constant.dtype),
        result=name,
        axis=0,
    )


def _result(to: QdqBuilder, node: Node) -> str:
    made = to.type_of(node)
    return f"{made.name}:unrounded" if made.dtype in CODES else made.name


def _finish(to: QdqBuilder, node: Node, real: str) -> None:
    if to.type_of(node).dtype in CODES:
        to.finish(node, real)
