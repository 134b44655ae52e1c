"""What convolutions and linear layers have in common: weights, biases, multipliers, accumulators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from runtime.hbir.graph import Node
from runtime.hbir.ops.onnx_body import DOUBLE, FLOAT, Body
from runtime.hbir.ops.operation import FORMAT, Operation, Types, need_rescale, refuse
from runtime.hbir.tensor_type import Constant, DType
from runtime.quantization.arithmetic import conv as arithmetic
from runtime.quantization.arithmetic.rescale import Rescale

_EXACT = 2**24
_MAX_DIGITS = 8


class Weighted(Operation):
    """Sums of products, bias, one rescale; without a multiplier the accumulator itself is the result."""

    scalars: ClassVar[tuple[str, ...]] = FORMAT
    constants: ClassVar[Mapping[str, tuple[DType, ...]]] = {
        "weight": ("int8",),
        "bias": ("int32",),
        "multiplier": ("int16",),
        "shift": ("int8",),
    }

    def makes_accumulators(self, node: Node) -> bool:
        """See `Operation`."""
        return "multiplier" not in node.constants

    def check_constants(self, node: Node, inputs: Types) -> None:
        """Checks sizes and values.

        Raises:
            RunError: constants of sizes that do not fit, values outside of the arithmetic, accumulators
                that could overflow.
        """
        missing = {"weight", "bias"} - set(node.constants)
        if missing or ("multiplier" in node.constants) != ("shift" in node.constants):
            raise refuse(node, f"lacks constants: it has {sorted(node.constants)}")
        weight, bias = node.codes("weight"), node.codes("bias")
        channels = len(weight)
        for key in set(node.constants) - {"weight"}:
            if node.constants[key].shape != (channels,):
                raise refuse(node, f"has `{key}` of {node.constants[key].shape} for {channels} channels")
        if not weight.size or weight.min() < -127:
            raise refuse(node, "has weights outside of -127 to 127")
        arithmetic.check_accumulator(node.name, weight, bias, bits=inputs[0].bits)
        if not self.makes_accumulators(node):
            need_rescale(node, node.codes("multiplier").tolist(), node.codes("shift").tolist())


def weight_sum(weight: np.ndarray) -> int:
    """The largest sum of absolute weights of an output channel."""
    return int(np.abs(weight).reshape(len(weight), -1).sum(axis=1).max())


def largest_accumulator(node: Node, bits: int) -> int:
    """The largest absolute accumulator, bias included, of any channel for inputs of so many bits."""
    return int(arithmetic.accumulator_bound(node.codes("weight"), node.codes("bias"), bits=bits).max())


def float32_digits(sums: int, bits: int) -> tuple[int, int]:
    """(count, width) of digits whose sums of products are exact in float32 alone.

    There always are some: an accumulator below 2^31 has `sums` below 2^(32 - bits), for which eight digits of
    one bit do with int8 codes, and two of eight with int16.
    """
    for count in range(1, _MAX_DIGITS + 1):
        width = -(-bits // count)
        top = 2 ** max(bits - 1 - width * (count - 1), 0)
        if sums * (top if count == 1 else max(top, 2**width - 1)) < _EXACT:
            return count, width
    raise AssertionError(f"weights that add up to {sums} with {bits} bits overflow int32")


def tensors(node: Node, device: torch.device) -> tuple[Tensor, Tensor]:
    """Weights as float32 (O, C, kh, kw), biases as float64."""
    weight = torch.from_numpy(node.codes("weight")).to(device, torch.float32)
    bias = torch.from_numpy(node.codes("bias")).to(device, torch.float64)
    return weight.reshape(*weight.shape, *[1] * (4 - weight.dim())), bias


def rescale(node: Node, device: torch.device) -> Rescale:
    """Of the node's multipliers and shifts."""
    return Rescale.of(node.codes("multiplier"), node.codes("shift")).to(device)


def accumulate_in_onnx(
    body: Body, kind: str, digits: tuple[int, int], per_channel: bool, **attributes: Any
) -> str:
    """Float64 accumulators: sums of products of the digits of `x`, and the bias.

    Args:
        kind: `Conv` or `MatMul`.
        per_channel: the result is (B, O, H, W), not (B, O).
    """
    weight = body.cast("weight", FLOAT)
    if kind == "MatMul":
        weight = body.op("Transpose", weight, perm=[1, 0])
    parts = body.digits(body.cast("x", FLOAT), *digits)
    acc = body.joined([body.op(kind, part, weight, **attributes) for part in parts], digits[1])
    return body.op("Add", acc, channels(body, "bias", per_channel))


def channels(body: Body, name: str, per_channel: bool) -> str:
    """Float64 values, one for each channel of (B, O, H, W), or of (B, O)."""
    return body.per_channel(name) if per_channel else body.cast(name, DOUBLE)


def variant(kind: str, digits: tuple[int, int]) -> str:
    """The name of a function for so many digits."""
    split = f"split{digits[0]}x{digits[1]}" if digits[0] > 1 else ""
    return "_".join(part for part in (kind, split) if part)


def weights_for_test(
    rng: np.random.Generator, shape: tuple[int, ...], *, bits: int
) -> tuple[dict[str, Constant], float]:
    """Random or extreme weights whose accumulators fit, biases, and the largest accumulator."""
    weight = rng.integers(-127, 128, size=shape) if rng.integers(2) else rng.choice([-127, 127], size=shape)
    while weight_sum(weight) * 2 ** (bits - 1) > 2**30:
        weight = weight // 2
    bias = rng.integers(-(2**20), 2**20, size=shape[0])
    largest = float(weight_sum(weight) * 2 ** (bits - 1) + 2**20)
    return {"weight": Constant.of(weight, "int8"), "bias": Constant.of(bias, "int32")}, largest
