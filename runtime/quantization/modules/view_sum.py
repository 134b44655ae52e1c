"""Sum over the views of a sample, rounded once."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from runtime.quantization import registered_ops
from runtime.quantization.arithmetic import view_sum as arithmetic
from runtime.quantization.config import OpName
from runtime.quantization.modules.base import QuantizedModule
from runtime.quantization.snap import snap_ratio


class QuantizedViewSum(QuantizedModule):
    """Adds the maps of the V views of each sample.

    Args:
        name: see `QuantizedModule`.
        num_views: V.
    """

    op: ClassVar[OpName] = "view_sum"

    def __init__(self, name: str, num_views: int) -> None:
        super().__init__(name)
        self.num_views = num_views

    def real(self, *inputs: Tensor) -> Tensor:
        """(B * V, C, H, W) to (B, C, H, W)."""
        return inputs[0].unflatten(0, (-1, self.num_views)).sum(dim=1)

    def unit(self) -> float:
        """See `QuantizedModule`."""
        return self.sources[0].code_unit()

    def freeze(self) -> None:
        """See `QuantizedModule`."""
        self.multiplier, self.shift = snap_ratio(
            self.name, self.sources[0].value() / self.output_scale(), bits=self.multiplier_bits
        )

    def integer(self, *codes: Tensor) -> Tensor:
        """See `QuantizedModule`."""
        low, high = self.output_bounds()
        y = arithmetic.kernel(
            codes[0], self.multiplier, self.shift, num_views=self.num_views, lo=low, hi=high
        )
        return self.leave(y)

    def exported(self, *codes: Tensor) -> Tensor:
        """See `QuantizedModule`."""
        y = registered_ops.sum_views(
            codes[0], self.multiplier, self.shift, self.num_views, *self.output_format
        )
        return self.leave_exported(y)
