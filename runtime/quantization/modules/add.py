"""Sum of maps, with ReLU: one rounding, also where a convolution's accumulator is one of them."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor, nn

from runtime.errors import RunError
from runtime.quantization import registered_ops
from runtime.quantization.arithmetic import add as arithmetic
from runtime.quantization.arithmetic import conv as conv_arithmetic
from runtime.quantization.arithmetic.rescale import MAX_SHIFT
from runtime.quantization.arithmetic.weighted_sum import weighted_sum
from runtime.quantization.config import OpName
from runtime.quantization.modules.base import QuantizedModule
from runtime.quantization.modules.conv import WeightedModule
from runtime.quantization.snap import snap_ratios, snap_residual


class QuantizedAdd(QuantizedModule):
    """`act(x1 + x2 + ...)`.

    A sum of two may take the accumulator of the convolution before it (`take_accumulator`): the convolution's
    result then is not rounded on its own.

    Args:
        name: see `QuantizedModule`.
        activation: ReLU, ReLU6 or None.
    """

    op: ClassVar[OpName] = "add"
    residual_multiplier: Tensor

    def __init__(self, name: str, activation: nn.Module | None = None) -> None:
        super().__init__(name)
        self.act = activation
        # In a tuple: the convolution is no part of this module.
        self._accumulating: tuple[()] | tuple[int, WeightedModule] = ()
        self.multipliers: list[int] = []
        self.shift = 1

    @property
    def accumulating(self) -> WeightedModule | None:
        """The convolution whose accumulator is one of the inputs."""
        return self._accumulating[1] if self._accumulating else None

    def take_accumulator(self, position: int, conv: WeightedModule) -> None:
        """Round the input at `position`, the result of `conv`, together with the sum."""
        self._accumulating = (position, conv)
        assert self.quant is not None
        conv.leave_rounding_to(self.quant)

    def real(self, *inputs: Tensor) -> Tensor:
        """Maps of one shape to one of that shape."""
        total = inputs[0] + inputs[1]
        for x in inputs[2:]:
            total = total + x
        return total

    def limit_shift(self) -> None:
        """Tell the convolution the largest shift at which the other input fits beside its accumulator."""
        if not self._accumulating:
            return
        position, conv = self._accumulating
        other = self.sources[1 - position]
        largest = 2.0 ** (other.bits - 1) * other.value() / self.output_scale()
        conv.max_shift = max(1, min(MAX_SHIFT, 50 - math.ceil(math.log2(largest))))

    def unit(self) -> float:
        """See `QuantizedModule`."""
        return self.sources[1 - self._accumulating[0] if self._accumulating else 0].code_unit()

    def freeze(self) -> None:
        """See `QuantizedModule`."""
        out_scale = self.output_scale()
        if not self._accumulating:
            ratios = [source.value() / out_scale for source in self.sources]
            self.multipliers, self.shift = snap_ratios(self.name, ratios, bits=self.multiplier_bits)
            return
        position, conv = self._accumulating
        other, codes = self.sources[1 - position], conv.codes
        assert codes is not None and codes.multiplier is not None and codes.shift is not None
        ratio = other.value() / out_scale
        multiplier = snap_residual(self.name, ratio, codes.shift, bits=self.multiplier_bits)
        bound = conv_arithmetic.accumulator_bound(codes.weight, codes.bias, bits=conv.sources[0].bits)
        if not conv_arithmetic.residual_fits(
            codes.multiplier, codes.shift, bound, multiplier, bits=other.bits
        ):
            raise RunError(
                f"the sum `{self.name}` of `{conv.name}` and `{other.name}` needs more than 52 bits",
                hint=f"the range of `{other.name}` is {ratio:.3g} times that of the sum: look at the report",
            )
        device = conv.layer.weight.device
        self.hold("residual_multiplier", torch.from_numpy(multiplier).to(device, torch.float64))

    def integer(self, *codes: Tensor) -> Tensor:
        """See `QuantizedModule`; the accumulator among them is float64."""
        low, high = self.output_bounds()
        if not self._accumulating:
            return self.leave(arithmetic.kernel(codes, self.multipliers, self.shift, lo=low, hi=high))
        position, conv = self._accumulating
        assert conv.rescale is not None
        terms = [
            (codes[position], conv.rescale.factor),
            (codes[1 - position], conv.rescale.step * self.residual_multiplier.view(-1, 1, 1)),
        ]
        return self.leave(weighted_sum(terms, 0.5, lo=low, hi=high))

    def exported(self, *codes: Tensor) -> Tensor:
        """See `QuantizedModule`."""
        if not self._accumulating:
            y = registered_ops.add_maps(list(codes), self.multipliers, self.shift, *self.output_format)
            return self.leave_exported(y)
        position, conv = self._accumulating
        assert conv.rescale is not None
        y = registered_ops.round_sum(
            codes[position],
            conv.rescale.factor,
            codes[1 - position],
            conv.rescale.step,
            self.residual_multiplier,
            *self.output_format,
        )
        return self.leave_exported(y)
