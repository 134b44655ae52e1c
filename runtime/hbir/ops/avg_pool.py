"""Average pooling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np
import torch
from onnx import numpy_helper

from runtime.hbir.graph import Attribute, Node
from runtime.hbir.ops.one_rescale import OneRescale
from runtime.hbir.ops.onnx_body import FLOAT, Body, listed
from runtime.hbir.ops.operation import Call, Case, Int64, Kernel, Types, code_bounds, need_inputs, refuse
from runtime.hbir.ops.single_node import case
from runtime.hbir.ops.weighted import float32_digits, variant
from runtime.hbir.tensor_type import DType, Shape, TensorType
from runtime.quantization.arithmetic import avg_pool as arithmetic

# int16 codes times pixels stay below 2^31.
_MAX_PIXELS = 2**15


class AvgPool(OneRescale):
    """`y = clamp((sum q * m + 2^(k-1)) >> k, lo, hi)` over each window, without padding.

    m * 2^-k contains the division by the number of pixels.
    """

    name = "avg_pool"
    lists = ("kernel", "stride")

    def output(self, node: Node, inputs: Types) -> Shape:
        """See `Operation`."""
        need_inputs(node, inputs, 1)
        self.check_rescale(node)
        batch, channels, *sizes = inputs[0].shape
        kernel, stride = node.pair("kernel"), node.pair("stride")
        fits = all(1 <= k <= size and step >= 1 for k, step, size in zip(kernel, stride, sizes, strict=True))
        if not fits or prod(kernel) > _MAX_PIXELS:
            raise refuse(node, f"has a window of {kernel} with stride {stride} over {sizes} pixels")
        sides = [(size - k) // step + 1 for size, k, step in zip(sizes, kernel, stride, strict=True)]
        return (batch, channels, *sides)

    def reference(self, node: Node, inputs: Sequence[Int64], types: Types) -> Int64:
        """See `Operation`."""
        lo, hi = code_bounds(node)
        m, k = node.integer("multiplier"), node.integer("shift")
        window = {"kernel_size": node.pair("kernel"), "stride": node.pair("stride")}
        return arithmetic.reference(inputs[0], m, k, lo=lo, hi=hi, **window)

    def kernel(self, node: Node, types: Types, device: torch.device) -> Kernel:
        """See `Operation`."""
        (lo, hi), bits = code_bounds(node), types[0].bits
        m, k = node.integer("multiplier"), node.integer("shift")
        window = {"kernel_size": node.pair("kernel"), "stride": node.pair("stride")}
        return lambda x: arithmetic.kernel(x, m, k, bits=bits, lo=lo, hi=hi, **window)

    def call(self, node: Node, inputs: Types, output: TensorType) -> Call:
        """See `Operation`."""
        digits = float32_digits(prod(node.pair("kernel")), inputs[0].bits)
        body = Body("x")
        # A convolution of one channel with ones: ONNX knows averages, but not sums, of windows.
        size = body.op("Concat", body.constant([1, 1], np.int64), body.attributes("kernel"), axis=0)
        ones = body.op("ConstantOfShape", size, value=numpy_helper.from_array(np.ones(1, dtype=np.float32)))
        planes = body.reshape(body.cast("x", FLOAT), [-1, 1], body.size("x", 2, 4))
        sums = [
            body.op("Conv", part, ones, strides=listed("stride")) for part in body.digits(planes, *digits)
        ]
        total = body.op("Mul", body.joined(sums, digits[1]), body.factor())
        body.finish(body.reshape(total, body.size("x", 0, 2), body.size(total, 2, 4)))
        return Call(variant("", digits), body)

    def cases(self, rng: np.random.Generator) -> Iterator[Case]:
        """See `Operation`."""
        dtypes: list[DType] = ["int8", "int16"]
        windows: list[tuple[Shape, tuple[int, int], tuple[int, int]]] = [
            ((1, 4, 7, 9), (7, 9), (7, 9)),
            ((2, 3, 8, 8), (2, 4), (2, 4)),
            ((1, 3, 9, 7), (4, 3), (2, 1)),
            ((1, 1, 30, 40), (30, 40), (30, 40)),
        ]
        for _ in range(3):
            size, kernel, stride = (rng.integers(1, most, size=2).tolist() for most in (12, 6, 4))
            sides = [max(pair) for pair in zip(size, kernel, strict=True)]
            windows.append(((2, 3, *sides), (kernel[0], kernel[1]), (stride[0], stride[1])))
        for shape, kernel, stride in windows:
            for dtype in dtypes:
                out = dtypes[rng.integers(2)]
                attributes: dict[str, Attribute] = {"kernel": kernel, "stride": stride}
                attributes |= self.random_format(rng, np.iinfo(dtype).max * prod(kernel) ** 0.5, out)
                yield case(self, rng, [(dtype, shape)], out, attributes)
