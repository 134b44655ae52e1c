"""Functions of one variable, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch

from runtime.hbir.graph import Node
from runtime.hbir.ops.onnx_body import DOUBLE, INT64, Body, Reference
from runtime.hbir.ops.operation import (
    CODES,
    FORMAT,
    Call,
    Case,
    Int64,
    Kernel,
    Operation,
    Types,
    code_bounds,
    need_inputs,
    refuse,
)
from runtime.hbir.ops.single_node import case, random_bounds
from runtime.hbir.tensor_type import Constant, DType, Shape, TensorType
from runtime.quantization.arithmetic import lookup as arithmetic

_ENTRIES = {8: 256, 16: 1025}


class Lookup(Operation):
    """`y = table[q + 128]` of int8 codes.

    Of int16 codes, with q + 32768 = 64 i + f:
    `y = (table[i] * (64 - f) + table[i + 1] * f + 32) >> 6`.
    """

    name = "lookup"
    scalars = FORMAT
    constants: ClassVar[Mapping[str, tuple[DType, ...]]] = {"table": CODES}

    def output(self, node: Node, inputs: Types) -> Shape:
        """See `Operation`."""
        need_inputs(node, inputs, 1, rank=None)
        bits = inputs[0].bits
        if "table" not in node.constants or node.constants["table"].shape != (_ENTRIES[bits],):
            raise refuse(node, f"has no table of {_ENTRIES[bits]} codes")
        table, (lo, hi) = node.codes("table"), code_bounds(node)
        if table.min() < lo or table.max() > hi:
            raise refuse(
                node, f"has codes from {table.min()} to {table.max()} in its table, not {lo} to {hi}"
            )
        return inputs[0].shape

    def reference(self, node: Node, inputs: Sequence[Int64], types: Types) -> Int64:
        """See `Operation`."""
        return arithmetic.reference(inputs[0], node.codes("table"), bits=types[0].bits)

    def kernel(self, node: Node, types: Types, device: torch.device) -> Kernel:
        """See `Operation`."""
        table, bits = torch.from_numpy(node.codes("table")).to(device, torch.float32), types[0].bits
        return lambda x: arithmetic.kernel(x, table, bits=bits)

    def call(self, node: Node, inputs: Types, output: TensorType) -> Call:
        """See `Operation`."""
        body = Body("x", "table")
        position = body.op("Add", body.cast("x", INT64), body.constant(2 ** (inputs[0].bits - 1), np.int64))
        if inputs[0].bits == 8:
            body.result = body.cast(body.op("Gather", "table", position, axis=0), Reference("to"))
            return Call("", body)
        index = body.op("Div", position, body.constant(64, np.int64))  # not negative: rounds down
        fraction = body.cast(
            body.op("Sub", position, body.op("Mul", index, body.constant(64, np.int64))), DOUBLE
        )
        after = body.op("Add", index, body.constant(1, np.int64))
        low, high = (body.cast(body.op("Gather", "table", i, axis=0), DOUBLE) for i in (index, after))
        rise = body.op("Mul", body.op("Sub", high, low), fraction)
        body.finish(body.op("Add", low, body.op("Mul", rise, body.number(1 / 64))))
        return Call("interpolated", body)

    def cases(self, rng: np.random.Generator) -> Iterator[Case]:
        """See `Operation`."""
        dtypes: list[DType] = ["int8", "int16"]
        for dtype in dtypes:
            for out in dtypes:
                bounds = random_bounds(rng, out)
                size = _ENTRIES[np.iinfo(dtype).bits]
                table = rng.integers(bounds["lo"], bounds["hi"], size=size, endpoint=True)
                constants = {"table": Constant.of(table, out)}
                for _ in range(2):
                    yield case(self, rng, [(dtype, (2, 4, 5, 6))], out, bounds, constants)
