"""Channels of several maps behind each other, each rescaled to the scale of the result."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from runtime.quantization import registered_ops
from runtime.quantization.arithmetic import concat as arithmetic
from runtime.quantization.config import OpName
from runtime.quantization.modules.base import QuantizedModule
from runtime.quantization.snap import snap_ratio


class QuantizedConcat(QuantizedModule):
    """Concatenation along the channels."""

    op: ClassVar[OpName] = "concat"

    def real(self, *inputs: Tensor) -> Tensor:
        """Maps (B, Ci, H, W) to (B, sum of Ci, H, W)."""
        return torch.cat(inputs, dim=1)

    def unit(self) -> float:
        """See `QuantizedModule`."""
        return self.sources[0].code_unit()

    def freeze(self) -> None:
        """See `QuantizedModule`."""
        ratios = [source.value() / self.output_scale() for source in self.sources]
        # Equal scales move codes unchanged.
        self.multipliers = [
            None if ratio == 1.0 else snap_ratio(self.name, ratio, bits=self.multiplier_bits)
            for ratio in ratios
        ]

    def integer(self, *codes: Tensor) -> Tensor:
        """See `QuantizedModule`."""
        low, high = self.output_bounds()
        return self.leave(arithmetic.kernel(codes, self.multipliers, lo=low, hi=high))

    def exported(self, *codes: Tensor) -> Tensor:
        """See `QuantizedModule`."""
        # A ratio of one is m = 2^14 at k = 14, which moves codes unchanged.
        pairs = [pair or (2**14, 14) for pair in self.multipliers]
        ms, ks = [m for m, _ in pairs], [k for _, k in pairs]
        return self.leave_exported(registered_ops.concatenate(list(codes), ms, ks, *self.output_format))
