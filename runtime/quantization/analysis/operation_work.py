"""What an operation multiplies and moves, from its shapes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from runtime.quantization.graph import Operation
from runtime.quantization.modules.base import QuantizedModule
from runtime.quantization.modules.conv import WeightedModule
from runtime.quantization.modules.resize import QuantizedResize

WEIGHT_BITS = 8
_FOUR_TAPS = ("resize", "grid_sample")


@dataclass(frozen=True)
class Work:
    """For one sample.

    Args:
        macs: products of 8 x 8 bits; one with an activation of 16 bits counts as two.
        bytes: of activations read and written, and of weights.
    """

    macs: int
    bytes: int

    def __add__(self, other: Work) -> Work:
        return Work(self.macs + other.macs, self.bytes + other.bytes)


def macs(operation: Operation, module: QuantizedModule) -> int:
    """Multiply-accumulates of one sample, as `runtime.models.operation_count` counts them.

    One for each value and weight of its filter; four for each value of a bilinear resize or sampling.
    """
    values = math.prod(operation.output_shape)
    if isinstance(module, WeightedModule):
        weight = module.layer.weight
        return values * (weight.numel() // weight.shape[0])
    if operation.op in _FOUR_TAPS:
        assert not isinstance(module, QuantizedResize) or module.resize.mode != "nearest"
        return 4 * values
    return 0


def work(operation: Operation, module: QuantizedModule, in_bits: int, out_bits: int) -> Work:
    """The work of an operation whose inputs and result have codes of so many bits; 32 for an accumulator."""
    read = sum(math.prod(shape) for shape in operation.input_shapes) * in_bits
    written = math.prod(operation.output_shape) * out_bits
    weights = module.layer.weight.numel() * WEIGHT_BITS if isinstance(module, WeightedModule) else 0
    return Work(macs(operation, module) * in_bits // 8, (read + written + weights) // 8)
