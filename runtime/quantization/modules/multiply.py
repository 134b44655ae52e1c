"""Product of a map and a gate, rounded once."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from runtime.quantization import registered_ops
from runtime.quantization.arithmetic import multiply as arithmetic
from runtime.quantization.config import OpName
from runtime.quantization.modules.base import QuantizedModule
from runtime.quantization.snap import snap_ratio


class QuantizedMultiply(QuantizedModule):
    """A map times one value a channel."""

    op: ClassVar[OpName] = "multiply"

    def real(self, *inputs: Tensor) -> Tensor:
        """(B, C, H, W) and (B, C, 1, 1) to (B, C, H, W)."""
        return inputs[0] * inputs[1]

    def unit(self) -> float:
        """See `QuantizedModule`."""
        return self.sources[0].code_unit() * self.sources[1].code_unit()

    def freeze(self) -> None:
        """See `QuantizedModule`."""
        self.multiplier, self.shift = snap_ratio(
            self.name,
            self.sources[0].value() * self.sources[1].value() / self.output_scale(),
            bits=self.multiplier_bits,
        )

    def integer(self, *codes: Tensor) -> Tensor:
        """See `QuantizedModule`."""
        low, high = self.output_bounds()
        return self.leave(arithmetic.kernel(codes[0], codes[1], self.multiplier, self.shift, lo=low, hi=high))

    def exported(self, *codes: Tensor) -> Tensor:
        """See `QuantizedModule`."""
        y = registered_ops.multiply_maps(codes[0], codes[1], self.multiplier, self.shift, *self.output_format)
        return self.leave_exported(y)
