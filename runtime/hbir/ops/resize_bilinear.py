"""Bilinear resizing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from runtime.hbir.graph import Node
from runtime.hbir.ops.one_rescale import OneRescale
from runtime.hbir.ops.onnx_body import DOUBLE, FLOAT, Body
from runtime.hbir.ops.operation import Call, Case, Int64, Kernel, Types, code_bounds, need_inputs
from runtime.hbir.ops.resized import resized, sizes_for_test
from runtime.hbir.ops.single_node import case
from runtime.hbir.tensor_type import Constant, DType, Shape, TensorType
from runtime.quantization.arithmetic import resize as arithmetic


class ResizeBilinear(OneRescale):
    """`y = clamp((sum_t q_t * wy_t * wx_t * m + 2^(k-1)) >> k, lo, hi)` over four pixels.

    The outer edges of both maps coincide (`align_corners=False`), the border is repeated. The two weights of
    each axis have 8 fraction bits and add up to 256; m * 2^-k contains 2^-16.
    """

    name = "resize_bilinear"
    lists = ("size",)

    def output(self, node: Node, inputs: Types) -> Shape:
        """See `Operation`."""
        need_inputs(node, inputs, 1)
        self.check_rescale(node)
        return resized(node, inputs)

    def reference(self, node: Node, inputs: Sequence[Int64], types: Types) -> Int64:
        """See `Operation`."""
        (lo, hi), m, k = code_bounds(node), node.integer("multiplier"), node.integer("shift")
        return arithmetic.bilinear_reference(inputs[0], node.pair("size"), m, k, lo=lo, hi=hi)

    def kernel(self, node: Node, types: Types, device: torch.device) -> Kernel:
        """See `Operation`."""
        (lo, hi), m, k = code_bounds(node), node.integer("multiplier"), node.integer("shift")
        size, bits = node.pair("size"), types[0].bits
        return lambda x: arithmetic.bilinear(x, size, m, k, bits=bits, lo=lo, hi=hi)

    def call(self, node: Node, inputs: Types, output: TensorType) -> Call:
        """See `Operation`."""
        taps = ("rows0", "rows1", "row_weights0", "row_weights1")
        more = ("columns0", "columns1", "column_weights0", "column_weights1")
        constants: dict[str, Constant] = {}
        for names, axis in ((taps, 2), (more, 3)):
            found = arithmetic.axis_weights(inputs[0].shape[axis], output.shape[axis])
            constants |= {
                name: Constant.of(values, "int32") for name, values in zip(names, found, strict=True)
            }
        body = Body("x", *constants)
        # Sums over two rows stay below 2^24 in float32; int16 codes over columns too need float64.
        rows = _between(body, body.cast("x", FLOAT), taps, 2, FLOAT)
        wide = FLOAT if inputs[0].bits == 8 else DOUBLE
        total = body.cast(_between(body, body.cast(rows, wide), more, 3, wide), DOUBLE)
        body.finish(body.op("Mul", total, body.factor()))
        return Call("" if inputs[0].bits == 8 else "int16", body, constants=constants)

    def macs(self, node: Node, inputs: Types, output: TensorType) -> int:
        """See `Operation`."""
        return 4 * output.elements

    def cases(self, rng: np.random.Generator) -> Iterator[Case]:
        """See `Operation`."""
        dtypes: list[DType] = ["int8", "int16"]
        for shape, size in sizes_for_test(rng):
            for dtype in dtypes:
                out = dtypes[rng.integers(2)]
                attributes = self.random_format(rng, float(np.iinfo(dtype).max) * 2**16, out)
                yield case(self, rng, [(dtype, shape)], out, {**attributes, "size": size})


def _between(body: Body, x: str, names: Sequence[str], axis: int, to: int) -> str:
    """Weighted sum of two pixels along an axis."""
    total = ""
    for index, weight in zip(names[:2], names[2:], strict=True):
        factors = body.cast(weight, to)
        if axis == 2:
            factors = body.op("Unsqueeze", factors, body.constant([1], np.int64))
        term = body.op("Mul", body.op("Gather", x, index, axis=axis), factors)
        total = body.op("Add", total, term) if total else term
    return total
