"""Bilinear sampling at int16 points: four taps with integer weights, one rescale."""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from runtime.errors import RunError
from runtime.models.blocks import GridSample
from runtime.quantization import registered_ops
from runtime.quantization.arithmetic import grid_sample as arithmetic
from runtime.quantization.arithmetic import quantize
from runtime.quantization.config import OpName
from runtime.quantization.fake_quant import FakeQuant
from runtime.quantization.modules.base import QuantizedModule, code_format
from runtime.quantization.snap import snap_ratio
from runtime.quantization.state import State


class QuantizedGridSample(QuantizedModule):
    """`GridSample`, whose points are codes of a power-of-two step.

    Args:
        name: see `QuantizedModule`.
        sample: the float module.
    """

    op: ClassVar[OpName] = "grid_sample"

    def __init__(self, name: str, sample: GridSample) -> None:
        super().__init__(name)
        self.sample = sample
        self.points = FakeQuant(f"{name}.points")
        self.points.bits = 16
        self.points.fix(sample.point_scale)

    def real(self, *inputs: Tensor) -> Tensor:
        """Map (B, C, h, w) and points (B, H, W, 2) in its pixels to (B, C, H, W)."""
        features, points = inputs
        rounds = not self.keep_float and self.state in (State.SIMULATE, State.QUANTISE_AND_OBSERVE)
        return self.sample(features, self.points(points) if rounds else points)

    def unit(self) -> float:
        """See `QuantizedModule`."""
        return self.sources[0].code_unit()

    def freeze(self) -> None:
        """See `QuantizedModule`."""
        step = self.points.value()
        mantissa, exponent = math.frexp(step)
        self.fraction_bits = 1 - exponent
        side = max(self.input_shapes[0][-2:])
        high = self.points.bounds[1]
        if mantissa != 0.5 or self.fraction_bits < 0:
            raise RunError(f"`{self.points.name}` has the step {step}, which is no power of two up to 1")
        if side / step > high:
            raise RunError(
                f"`{self.points.name}`: codes of {self.points.bits} bits and step {step} reach pixel "
                f"{high * step:g} of a map that is {side} long",
                hint="use 16 bits, or a coarser `scale`",
            )
        self.multiplier, self.shift = snap_ratio(
            self.name,
            self.sources[0].value() / self.output_scale() / 4.0**self.fraction_bits,
            bits=self.multiplier_bits,
        )
        self.point_format = code_format(self.points, self.points.bounds)

    def integer(self, *inputs: Tensor) -> Tensor:
        """See `QuantizedModule`; the points are real numbers, as the host computes them."""
        codes, points = inputs
        low, high = self.points.bounds
        point_codes = quantize.quantize(points, self.points.value(), lo=low, hi=high)
        low, high = self.output_bounds()
        y = arithmetic.kernel(
            codes,
            point_codes,
            self.multiplier,
            self.shift,
            fraction_bits=self.fraction_bits,
            bits=self.sources[0].bits,
            lo=low,
            hi=high,
        )
        return self.leave(y)

    def exported(self, *inputs: Tensor) -> Tensor:
        """See `QuantizedModule`."""
        codes, points = inputs
        point_codes = registered_ops.quantise(points, *self.point_format)
        y = registered_ops.sample_grid(
            codes, point_codes, self.multiplier, self.shift, self.fraction_bits, *self.output_format
        )
        return self.leave_exported(y)
