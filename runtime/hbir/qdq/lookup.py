"""Tables: the function that a table stands for where it is known, else the table itself on codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from onnx import TensorProto

from runtime.hbir.graph import Node
from runtime.hbir.ops.operation import Int64
from runtime.hbir.qdq.builder import QdqBuilder
from runtime.quantization.arithmetic import lookup as arithmetic
from runtime.quantization.arithmetic.rescale import code_range

_NEAR = 0.75
"""Codes between a function and its table: half of one is its rounding."""


def lookup(to: QdqBuilder, node: Node) -> None:
    """Sigmoid, or x * Sigmoid(x), where the table is one of them; else Cast, Add, Gather on codes: exact."""
    source, made = to.graph.types[node.inputs[0]], to.type_of(node)
    low, high = code_range(source.bits)
    codes = np.arange(low, high + 1)
    table = arithmetic.reference(codes, node.codes("table"), bits=source.bits)
    for function, translate in _FUNCTIONS.items():
        values = function(codes * source.scale[0]) / made.scale[0]
        if np.abs(values.clip(node.integer("lo"), node.integer("hi")) - table).max() < _NEAR:
            translate(to, node)
            return
    _gather(to, node, table, low)


def _sigmoid(to: QdqBuilder, node: Node) -> None:
    to.finish(node, to.op("Sigmoid", to.real(node), result=f"{node.output}:unrounded", name=node.name))


def _silu(to: QdqBuilder, node: Node) -> None:
    real = to.real(node)
    gate = to.op("Sigmoid", real, result=f"{node.name}:gate")
    to.finish(node, to.op("Mul", real, gate, result=f"{node.output}:unrounded", name=node.name))


_FUNCTIONS: Mapping[arithmetic.Function, Callable[[QdqBuilder, Node], None]] = MappingProxyType(
    {arithmetic.sigmoid: _sigmoid, arithmetic.silu: _silu}
)


def _gather(to: QdqBuilder, node: Node, table: Int64, lowest: int) -> None:
    """Codes by codes; of int16 all 65536 entries, interpolated here and not in the file."""
    made = to.type_of(node)
    wide = to.op("Cast", to.codes(node.inputs[0]), result=f"{node.name}:wide", to=TensorProto.INT32)
    first = to.constant(f"{node.name}:first", -lowest, np.int32)
    index = to.op("Add", wide, first, result=f"{node.name}:index")
    entries = to.constant(f"{node.name}:table", table, made.dtype)
    to.constant(f"{made.name}:scale", made.scale[0], np.float32)
    to.op("Gather", entries, index, result=to.codes(made.name), name=node.name, axis=0)
