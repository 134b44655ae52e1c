"""Sum over the views of a sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from runtime.hbir.graph import Node
from runtime.hbir.ops.one_rescale import OneRescale
from runtime.hbir.ops.onnx_body import DOUBLE, FLOAT, INT64, Body
from runtime.hbir.ops.operation import Call, Case, Int64, Kernel, Types, code_bounds, need_inputs, refuse
from runtime.hbir.ops.single_node import case
from runtime.hbir.tensor_type import DType, Shape, TensorType
from runtime.quantization.arithmetic import view_sum as arithmetic

_MAX_VIEWS = 512


class ViewSum(OneRescale):
    """`y = clamp((sum_v q_v * m + 2^(k-1)) >> k, lo, hi)` over the V views of a sample, which lie behind each
    other on the first axis."""

    name = "view_sum"
    scalars = (*OneRescale.scalars, "num_views")

    def output(self, node: Node, inputs: Types) -> Shape:
        """See `Operation`."""
        need_inputs(node, inputs, 1)
        self.check_rescale(node)
        views, (maps, *rest) = node.integer("num_views"), inputs[0].shape
        if not 1 <= views <= _MAX_VIEWS or maps % views:
            raise refuse(node, f"adds {views} views of {maps} maps (at most {_MAX_VIEWS})")
        return (maps // views, *rest)

    def reference(self, node: Node, inputs: Sequence[Int64], types: Types) -> Int64:
        """See `Operation`."""
        lo, hi = code_bounds(node)
        m, k, views = (node.integer(key) for key in ("multiplier", "shift", "num_views"))
        return arithmetic.reference(inputs[0], m, k, num_views=views, lo=lo, hi=hi)

    def kernel(self, node: Node, types: Types, device: torch.device) -> Kernel:
        """See `Operation`."""
        lo, hi = code_bounds(node)
        m, k, views = (node.integer(key) for key in ("multiplier", "shift", "num_views"))
        return lambda x: arithmetic.kernel(x, m, k, num_views=views, lo=lo, hi=hi)

    def call(self, node: Node, inputs: Types, output: TensorType) -> Call:
        """See `Operation`."""
        body = Body("x")
        views = body.op("Unsqueeze", body.attribute("num_views", to=INT64), body.constant([0], np.int64))
        stacked = body.reshape(body.cast("x", FLOAT), [-1], views, body.size("x", 1, 4))
        sums = body.op("ReduceSum", stacked, body.constant([1], np.int64), keepdims=0)
        body.finish(body.op("Mul", body.cast(sums, DOUBLE), body.factor()))
        return Call("", body)

    def cases(self, rng: np.random.Generator) -> Iterator[Case]:
        """See `Operation`."""
        dtypes: list[DType] = ["int8", "int16"]
        for views in (1, 2, 6):
            for dtype in dtypes:
                out = dtypes[rng.integers(2)]
                attributes = self.random_format(rng, np.iinfo(dtype).max * views**0.5, out)
                yield case(self, rng, [(dtype, (views, 4, 3, 5))], out, {**attributes, "num_views": views})
