"""Max pooling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch.nn import functional as F

from runtime.hbir.graph import Attribute, Node
from runtime.hbir.ops.onnx_body import FLOAT, Body, Reference, listed
from runtime.hbir.ops.operation import (
    MAX_WINDOW,
    Call,
    Case,
    Int64,
    Kernel,
    Operation,
    Types,
    need_inputs,
    refuse,
)
from runtime.hbir.ops.single_node import case
from runtime.hbir.tensor_type import DType, Shape, TensorType


class MaxPool(Operation):
    """`y = max q` over each window; padding never wins. Codes move unchanged."""

    name = "max_pool"
    lists = ("kernel", "stride", "padding")

    def output(self, node: Node, inputs: Types) -> Shape:
        """See `Operation`."""
        need_inputs(node, inputs, 1)
        sides = []
        for axis in range(2):
            kernel, stride, pad = (node.pair(key)[axis] for key in self.lists)
            size = inputs[0].shape[2 + axis]
            fits = 1 <= kernel <= min(size + 2 * pad, MAX_WINDOW)
            if not fits or stride < 1 or not 0 <= pad <= kernel // 2:
                raise refuse(node, f"has kernel {kernel}, stride {stride}, padding {pad} over {size} pixels")
            sides.append((size + 2 * pad - kernel) // stride + 1)
        return (*inputs[0].shape[:2], *sides)

    def reference(self, node: Node, inputs: Sequence[Int64], types: Types) -> Int64:
        """See `Operation`."""
        (pad_y, pad_x), stride = node.pair("padding"), node.pair("stride")
        lowest = np.iinfo(np.int64).min
        padded = np.pad(inputs[0], ((0, 0), (0, 0), (pad_y, pad_y), (pad_x, pad_x)), constant_values=lowest)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (1, 1, *node.pair("kernel")))
        return windows[:, :, :: stride[0], :: stride[1]].max(axis=(-4, -3, -2, -1))

    def kernel(self, node: Node, types: Types, device: torch.device) -> Kernel:
        """See `Operation`."""
        kernel, stride, padding = (node.pair(key) for key in self.lists)
        return lambda x: F.max_pool2d(x, kernel, stride, padding)

    def call(self, node: Node, inputs: Types, output: TensorType) -> Call:
        """See `Operation`."""
        body = Body("x")
        pooled = body.op(
            "MaxPool",
            body.cast("x", FLOAT),
            kernel_shape=listed("kernel"),
            strides=listed("stride"),
            pads=listed("pads"),
        )
        body.result = body.cast(pooled, Reference("to"))
        y, x = node.pair("padding")
        return Call("", body, attributes={"pads": (y, x, y, x)})

    def cases(self, rng: np.random.Generator) -> Iterator[Case]:
        """See `Operation`."""
        dtypes: list[DType] = ["int8", "int16"]
        windows = [((3, 3), (2, 2), (1, 1)), ((2, 2), (2, 2), (0, 0)), ((3, 2), (1, 2), (1, 0))]
        for _ in range(3):
            (y, x), stride = rng.integers(1, 6, size=2).tolist(), rng.integers(1, 4, size=2).tolist()
            padding = (int(rng.integers(y // 2 + 1)), int(rng.integers(x // 2 + 1)))
            windows.append(((y, x), (stride[0], stride[1]), padding))
        for kernel, stride, padding in windows:
            for dtype in dtypes:
                attributes: dict[str, Attribute] = {"kernel": kernel, "stride": stride, "padding": padding}
                yield case(self, rng, [(dtype, (2, 3, 7, 9))], dtype, attributes)
