"""Bilinear sampling at given points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch

from runtime.hbir.graph import Attribute, Node
from runtime.hbir.ops.one_rescale import OneRescale
from runtime.hbir.ops.onnx_body import DOUBLE, FLOAT, INT64, Body
from runtime.hbir.ops.operation import (
    CODES,
    Call,
    Case,
    Int64,
    Kernel,
    Types,
    code_bounds,
    need_inputs,
    refuse,
)
from runtime.hbir.ops.single_node import case, random_codes
from runtime.hbir.tensor_type import Constant, DType, Shape, TensorType
from runtime.quantization.arithmetic import grid_sample as arithmetic


class GridSample(OneRescale):
    """`y = clamp((sum_t q_t * w_t * m + 2^(k-1)) >> k, lo, hi)` over the four pixels around each point.

    Points are (column, row) codes with f fraction bits, integers are pixel centres; they are the second
    input, or a constant that all samples share. At the fractions fx, fy the weights are
    (2^f - fx)(2^f - fy), fx (2^f - fy), (2^f - fx) fy and fx fy; pixels outside of the map count as 0.
    m * 2^-k contains 2^-2f.
    """

    name = "grid_sample"
    scalars = (*OneRescale.scalars, "fraction_bits")
    constants: ClassVar[Mapping[str, tuple[DType, ...]]] = {"points": CODES}

    def output(self, node: Node, inputs: Types) -> Shape:
        """See `Operation`."""
        constant = node.constants.get("points")
        need_inputs(node, inputs, 1 if constant else 2)
        self.check_rescale(node)
        points = constant.shape if constant else inputs[1].shape
        batch, channels, _, _ = inputs[0].shape
        if len(points) != 4 or points[3] != 2 or points[0] != (1 if constant else batch) or 0 in points:
            raise refuse(node, f"samples {inputs[0].shape} at points {points}")
        if not 0 <= node.integer("fraction_bits") <= arithmetic.MAX_FRACTION_BITS:
            raise refuse(node, f"has points with {node.integer('fraction_bits')} fraction bits")
        return (batch, channels, points[1], points[2])

    def reference(self, node: Node, inputs: Sequence[Int64], types: Types) -> Int64:
        """See `Operation`."""
        (lo, hi), m, k = code_bounds(node), node.integer("multiplier"), node.integer("shift")
        x = inputs[0]
        points = inputs[1] if len(inputs) > 1 else np.repeat(node.codes("points"), len(x), axis=0)
        return arithmetic.reference(
            x, points, m, k, fraction_bits=node.integer("fraction_bits"), lo=lo, hi=hi
        )

    def kernel(self, node: Node, types: Types, device: torch.device) -> Kernel:
        """See `Operation`."""
        (lo, hi), m, k = code_bounds(node), node.integer("multiplier"), node.integer("shift")
        fraction_bits, bits = node.integer("fraction_bits"), types[0].bits
        constant = node.constants.get("points")
        fixed = torch.from_numpy(constant.integers).to(device, torch.float32) if constant else None

        def sample(x: torch.Tensor, points: torch.Tensor | None = None) -> torch.Tensor:
            if points is None:
                assert fixed is not None
                points = fixed.expand(x.shape[0], -1, -1, -1)
            return arithmetic.kernel(x, points, m, k, fraction_bits=fraction_bits, bits=bits, lo=lo, hi=hi)

        return sample

    def call(self, node: Node, inputs: Types, output: TensorType) -> Call:
        """See `Operation`."""
        body = Body("x", "points")
        batch, map_size = body.size("x", 0, 1), body.size("x", 2, 4)
        # Pixels as rows of channels: (B, h * w, C).
        pixels = body.op("Transpose", body.cast("x", FLOAT), perm=[0, 2, 3, 1])
        pixels = body.reshape(pixels, batch, [-1], body.size("x", 1, 2))
        pixels = body.op("Cast", pixels, to=FLOAT if inputs[0].bits == 8 else DOUBLE)
        # (B, H * W, 2), once for each sample where the points are a constant.
        points = body.op(
            "Expand", "points", body.op("Concat", batch, body.constant([1, 1, 1], np.int64), axis=0)
        )
        points = body.reshape(body.cast(points, FLOAT), batch, [-1, 2])
        one = body.op("Pow", body.constant(2, np.float32), body.attribute("fraction_bits", FLOAT))
        whole = body.op("Floor", body.op("Div", points, one))
        fraction = body.op("Sub", points, body.op("Mul", whole, one))
        # Sizes as (column, row), like the points.
        width_height = body.op("Gather", body.cast(map_size, FLOAT), body.constant([1, 0], np.int64), axis=0)
        last = body.op("Sub", width_height, body.constant(1, np.float32))
        zero = body.constant(0, np.float32)
        axes = []
        for offset in (0, 1):
            at = body.op("Add", whole, body.constant(offset, np.float32))
            weight = fraction if offset else body.op("Sub", one, fraction)
            inside = body.op("And", body.op("GreaterOrEqual", at, zero), body.op("Less", at, width_height))
            weight = body.op("Mul", weight, body.cast(inside, FLOAT))
            place = body.op("Max", body.op("Min", at, last), zero)
            axes.append((*_columns_rows(body, place), *_columns_rows(body, weight)))
        width = body.op("Gather", width_height, body.constant([0], np.int64), axis=0)
        total = ""
        for row in axes:
            for column in axes:
                index = body.cast(body.op("Add", body.op("Mul", row[1], width), column[0]), INT64)
                taken = body.op("GatherND", pixels, index, batch_dims=1)
                weight = body.op("Mul", row[3], column[2])
                if inputs[0].bits != 8:
                    weight = body.cast(weight, DOUBLE)
                term = body.op("Mul", taken, weight)
                total = body.op("Add", total, term) if total else term
        total = body.op("Transpose", body.cast(total, DOUBLE), perm=[0, 2, 1])
        total = body.reshape(total, batch, body.size("x", 1, 2), body.size("points", 1, 3))
        body.finish(body.op("Mul", total, body.factor()))
        return Call("" if inputs[0].bits == 8 else "int16", body)

    def macs(self, node: Node, inputs: Types, output: TensorType) -> int:
        """See `Operation`."""
        return 4 * output.elements

    def cases(self, rng: np.random.Generator) -> Iterator[Case]:
        """See `Operation`."""
        dtypes: list[DType] = ["int8", "int16"]
        for fraction_bits in (0, 5, 8):
            for dtype in dtypes:
                out = dtypes[rng.integers(2)]
                attributes: dict[str, Attribute] = {"fraction_bits": fraction_bits}
                attributes |= self.random_format(rng, float(np.iinfo(dtype).max) * 4**fraction_bits, out)
                height, width, rows, columns = rng.integers(1, 12, size=4).tolist()
                x = (dtype, (2, 5, height, width))
                made = case(self, rng, [x, ("int16", (2, rows, columns, 2))], out, attributes)
                side = max(height, width) + 2
                near = rng.integers(-2 << fraction_bits, side << fraction_bits, made.inputs["x1"].shape)
                yield made
                yield Case(made.graph, {**made.inputs, "x1": near})
                fixed = random_codes(rng, "int16", (1, rows, columns, 2)) % (side << fraction_bits)
                yield case(self, rng, [x], out, attributes, {"points": Constant.of(fixed, "int16")})


def _columns_rows(body: Body, pairs: str) -> list[str]:
    """(B, P, 2) to its two halves (B, P, 1)."""
    return [body.op("Gather", pairs, body.constant([part], np.int64), axis=2) for part in (0, 1)]
