"""Concatenation of channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from runtime.hbir.graph import Node
from runtime.hbir.ops.onnx_body import DOUBLE, Body
from runtime.hbir.ops.operation import (
    FORMAT,
    Call,
    Case,
    Int64,
    Kernel,
    Operation,
    Types,
    code_bounds,
    need_inputs,
    need_rescale,
    refuse,
)
from runtime.hbir.ops.single_node import case, random_bounds, random_rescale
from runtime.hbir.tensor_type import DType, Shape, TensorType
from runtime.quantization.arithmetic import concat as arithmetic


class Concat(Operation):
    """`y_i = clamp((q_i * m_i + 2^(k_i-1)) >> k_i, lo, hi)`, the channels of the inputs behind each other.

    m = 2^14 with k = 14 moves codes unchanged.
    """

    name = "concat"
    scalars = FORMAT
    lists = ("multipliers", "shifts")

    def output(self, node: Node, inputs: Types) -> Shape:
        """See `Operation`."""
        multipliers, shifts = node.integers("multipliers"), node.integers("shifts")
        need_inputs(node, inputs, max(1, len(multipliers)))
        need_rescale(node, multipliers, shifts)
        rests = {(tensor.shape[0], *tensor.shape[2:]) for tensor in inputs}
        if len(rests) > 1 or len(shifts) != len(inputs):
            raise refuse(
                node, f"joins maps of {[tensor.shape for tensor in inputs]} with {len(shifts)} shifts"
            )
        batch, _, height, width = inputs[0].shape
        return batch, sum(tensor.shape[1] for tensor in inputs), height, width

    def _pairs(self, node: Node) -> list[tuple[int, int]]:
        return list(zip(node.integers("multipliers"), node.integers("shifts"), strict=True))

    def reference(self, node: Node, inputs: Sequence[Int64], types: Types) -> Int64:
        """See `Operation`."""
        lo, hi = code_bounds(node)
        return arithmetic.reference(inputs, self._pairs(node), lo=lo, hi=hi)

    def kernel(self, node: Node, types: Types, device: torch.device) -> Kernel:
        """See `Operation`."""
        lo, hi = code_bounds(node)
        # Moved, not computed, where the codes stay as they are.
        pairs = [None if pair == (2**14, 14) else pair for pair in self._pairs(node)]
        bits = max(tensor.bits for tensor in types)
        return lambda *maps: arithmetic.kernel(maps, pairs, bits=bits, lo=lo, hi=hi)

    def call(self, node: Node, inputs: Types, output: TensorType) -> Call:
        """See `Operation`."""
        body = Body(*(f"x{index}" for index in range(len(inputs))))
        factors = body.op(
            "Mul",
            body.cast(body.attributes("multipliers"), DOUBLE),
            body.power(body.attributes("shifts")),
        )
        parts = [
            body.op(
                "Mul",
                body.cast(name, DOUBLE),
                body.op("Gather", factors, body.constant(index, np.int64), axis=0),
            )
            for index, name in enumerate(body.inputs)
        ]
        body.finish(body.op("Concat", *parts, axis=1))
        return Call(str(len(inputs)), body)

    def cases(self, rng: np.random.Generator) -> Iterator[Case]:
        """See `Operation`."""
        dtypes: list[DType] = ["int8", "int16"]
        for count in (1, 2, 5):
            for out in dtypes:
                inputs = [(dtypes[rng.integers(2)], (2, int(rng.integers(1, 6)), 3, 4)) for _ in range(count)]
                pairs = [
                    (np.int64(2**14), np.int64(14))
                    if rng.integers(3) == 0
                    else random_rescale(rng, np.iinfo(out).max / np.iinfo(dtype).max)
                    for dtype, _ in inputs
                ]
                attributes = {
                    "multipliers": tuple(int(m) for m, _ in pairs),
                    "shifts": tuple(int(k) for _, k in pairs),
                }
                yield case(self, rng, inputs, out, {**attributes, **random_bounds(rng, out)})
