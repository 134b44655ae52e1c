"""Convolution, with bias, rescale, residual and the bounds of an activation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from runtime.hbir.graph import Attribute, Node
from runtime.hbir.ops import weighted
from runtime.hbir.ops.onnx_body import DOUBLE, Body, Reference, listed
from runtime.hbir.ops.operation import (
    MAX_WINDOW,
    Call,
    Case,
    Int64,
    Kernel,
    Types,
    code_bounds,
    need_inputs,
    refuse,
)
from runtime.hbir.ops.single_node import case, random_bounds, random_rescale
from runtime.hbir.tensor_type import Constant, DType, Shape, TensorType
from runtime.quantization.arithmetic import conv as arithmetic

_MAP = (7, 9)
_Pair = tuple[int, int]
_Window = tuple[int, int, int, _Pair, _Pair, _Pair, _Pair]
"""Of a test: channels, outputs, groups, kernel, stride, padding, dilation."""


class Conv(weighted.Weighted):
    """`y = clamp(((sum x * w + b) * m + r * m_r + 2^(k-1)) >> k, lo, hi)`, zero padding.

    m and k are of the output channel. The residual r, a second input, is optional and is added before the
    rounding, at multipliers of its own and the same shift. Without m the result is the int32 accumulator.
    """

    name = "conv"
    scalars = (*weighted.Weighted.scalars, "groups")
    lists = ("stride", "padding", "dilation")
    constants: ClassVar[Mapping[str, tuple[DType, ...]]] = {
        **weighted.Weighted.constants,
        "residual_multiplier": ("int64",),
    }

    def output(self, node: Node, inputs: Types) -> Shape:
        """See `Operation`."""
        residual = "residual_multiplier" in node.constants
        need_inputs(node, inputs, 2 if residual else 1)
        self.check_constants(node, inputs)
        weight, groups = node.constants["weight"].shape, node.integer("groups")
        batch, channels, *sizes = inputs[0].shape
        if len(weight) != 4 or groups < 1 or weight[1] * groups != channels or weight[0] % groups:
            raise refuse(node, f"has weights {weight} in {groups} groups for {channels} channels")
        sides = []
        for axis in range(2):
            stride, pad, dilation = (node.pair(key)[axis] for key in self.lists)
            reach = dilation * (weight[2 + axis] - 1) + 1
            fits = 0 <= pad < reach <= min(sizes[axis] + 2 * pad, MAX_WINDOW)
            if stride < 1 or dilation < 1 or not fits:
                raise refuse(
                    node,
                    f"has stride {stride}, padding {pad}, dilation {dilation} for a kernel of "
                    f"{weight[2 + axis]} over {sizes[axis]} pixels",
                )
            sides.append((sizes[axis] + 2 * pad - reach) // stride + 1)
        shape = (batch, weight[0], *sides)
        if residual:
            self._check_residual(node, inputs, shape)
        return shape

    def _check_residual(self, node: Node, inputs: Types, shape: Shape) -> None:
        if self.makes_accumulators(node) or inputs[1].shape != shape:
            raise refuse(node, f"adds a residual of {inputs[1].shape} to {shape}")
        multiplier = node.codes("residual_multiplier")
        bound = arithmetic.accumulator_bound(node.codes("weight"), node.codes("bias"), bits=inputs[0].bits)
        if multiplier.min() < 0 or not arithmetic.residual_fits(
            node.codes("multiplier"), node.codes("shift"), bound, multiplier, bits=inputs[1].bits
        ):
            raise refuse(node, "adds a residual that needs more than 52 bits")

    def _window(self, node: Node) -> dict[str, tuple[int, int]]:
        return {key: node.pair(key) for key in self.lists}

    def reference(self, node: Node, inputs: Sequence[Int64], types: Types) -> Int64:
        """See `Operation`."""
        weight, bias, groups = node.codes("weight"), node.codes("bias"), node.integer("groups")
        if self.makes_accumulators(node):
            acc = arithmetic.accumulate(inputs[0], weight, groups=groups, **self._window(node))
            return acc + bias[:, None, None]
        lo, hi = code_bounds(node)
        residual = inputs[1] if len(inputs) > 1 else None
        return arithmetic.reference(
            inputs[0],
            weight,
            bias,
            node.codes("multiplier"),
            node.codes("shift"),
            groups=groups,
            lo=lo,
            hi=hi,
            residual=residual,
            residual_m=None if residual is None else node.codes("residual_multiplier"),
            **self._window(node),
        )

    def kernel(self, node: Node, types: Types, device: torch.device) -> Kernel:
        """See `Operation`."""
        weight, bias = weighted.tensors(node, device)
        plan = arithmetic.plan(node.codes("weight"), bits=types[0].bits)
        window, groups = self._window(node), node.integer("groups")
        if self.makes_accumulators(node):
            return lambda x: arithmetic.accumulate_kernel(x, weight, bias, plan=plan, groups=groups, **window)
        rescale = weighted.rescale(node, device)
        lo, hi = code_bounds(node)
        residual_m: Tensor | None = None
        if len(types) > 1:
            residual_m = torch.from_numpy(node.codes("residual_multiplier")).to(device, torch.float64)
        return lambda x, residual=None: arithmetic.kernel(
            x,
            weight,
            bias,
            rescale,
            plan=plan,
            groups=groups,
            lo=lo,
            hi=hi,
            residual=residual,
            residual_m=residual_m,
            **window,
        )

    def call(self, node: Node, inputs: Types, output: TensorType) -> Call:
        """See `Operation`."""
        digits = weighted.float32_digits(weighted.weight_sum(node.codes("weight")), inputs[0].bits)
        accumulates, residual = self.makes_accumulators(node), len(inputs) > 1
        names = [
            "x",
            *(["residual"] if residual else []),
            *(key for key in self.constants if key in node.constants),
        ]
        body = Body(*names)
        acc = weighted.accumulate_in_onnx(
            body,
            "Conv",
            digits,
            True,
            strides=listed("stride"),
            pads=listed("pads"),
            dilations=listed("dilation"),
            group=Reference("groups"),
        )
        kind = "acc" if accumulates else "add" if residual else ""
        if accumulates:
            body.result = body.cast(acc, Reference("to"))
        else:
            power = body.power("shift")
            factor = body.op("Mul", body.cast("multiplier", DOUBLE), power)
            total = body.op("Mul", acc, body.per_channel(factor))
            if residual:
                other = body.op("Mul", body.cast("residual_multiplier", DOUBLE), power)
                added = body.op("Mul", body.cast("residual", DOUBLE), body.per_channel(other))
                total = body.op("Add", total, added)
            body.finish(total)
        y, x = node.pair("padding")
        return Call(weighted.variant(kind, digits), body, attributes={"pads": (y, x, y, x)})

    def macs(self, node: Node, inputs: Types, output: TensorType) -> int:
        """See `Operation`."""
        return output.elements * prod(node.constants["weight"].shape[1:])

    def cases(self, rng: np.random.Generator) -> Iterator[Case]:
        """See `Operation`."""
        windows: list[_Window] = [
            (3, 8, 1, (3, 3), (2, 2), (1, 1), (1, 1)),
            (8, 8, 8, (5, 5), (1, 1), (2, 2), (1, 1)),
            (8, 4, 1, (1, 1), (1, 1), (0, 0), (1, 1)),
            (6, 4, 2, (3, 1), (1, 2), (2, 0), (2, 1)),
            (300, 2, 1, (3, 3), (2, 2), (1, 1), (1, 1)),
            *(_random_window(rng) for _ in range(3)),
        ]
        dtypes: list[DType] = ["int8", "int16"]
        for channels, outputs, groups, kernel, stride, padding, dilation in windows:
            for dtype in dtypes:
                bits = np.iinfo(dtype).bits
                constants, largest = weighted.weights_for_test(
                    rng, (outputs, channels // groups, *kernel), bits=bits
                )
                window: dict[str, Attribute] = {
                    "groups": groups,
                    "stride": stride,
                    "padding": padding,
                    "dilation": dilation,
                }
                x = (dtype, (2, channels, *_MAP))
                yield case(self, rng, [x], "int32", window, constants)
                out = dtypes[rng.integers(2)]
                # Half of the results are cut, or fewer.
                multiplier, shift = random_rescale(rng, np.iinfo(out).max / largest * 4, outputs)
                constants["multiplier"] = Constant.of(multiplier, "int16")
                constants["shift"] = Constant.of(shift, "int8")
                attributes = {**window, **random_bounds(rng, out)}
                yield case(self, rng, [x], out, attributes, constants)
                rounded = case(self, rng, [x], out, attributes, constants)
                shape = rounded.graph.tensors[0].shape
                constants["residual_multiplier"] = Constant.of(
                    np.exp2(shift.clip(max=30)).astype(np.int64), "int64"
                )
                residual = (dtypes[rng.integers(2)], shape)
                yield case(self, rng, [x, residual], out, attributes, constants)


def _random_window(rng: np.random.Generator) -> _Window:
    """Any window that fits on the map of the tests."""
    groups = int(rng.integers(1, 4))
    kernel, stride, dilation = (_pair(rng, 1, most) for most in (5, 3, 2))
    padding = []
    for size, taps, step in zip(_MAP, kernel, dilation, strict=True):
        reach = step * (taps - 1) + 1
        padding.append(int(rng.integers(max(0, (reach - size + 1) // 2), reach)))
    channels, outputs = groups * int(rng.integers(1, 9)), groups * int(rng.integers(1, 5))
    return channels, outputs, groups, kernel, stride, (padding[0], padding[1]), dilation


def _pair(rng: np.random.Generator, least: int, most: int) -> _Pair:
    return int(rng.integers(least, most + 1)), int(rng.integers(least, most + 1))
