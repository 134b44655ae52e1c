"""Resizing: nearest moves codes, bilinear weighs four of them with eight fraction bits an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor

from runtime.models.blocks import Resize
from runtime.quantization import registered_ops
from runtime.quantization.arithmetic import resize as arithmetic
from runtime.quantization.config import OpName
from runtime.quantization.modules.base import QuantizedModule, Shape
from runtime.quantization.snap import snap_ratio


class QuantizedResize(QuantizedModule):
    """`Resize` to a size that its caller gives.

    Args:
        name: see `QuantizedModule`.
        resize: the float module.
    """

    op: ClassVar[OpName] = "resize"

    def __init__(self, name: str, resize: Resize) -> None:
        super().__init__(name)
        self.resize = resize
        if resize.mode == "nearest":
            self.quant = None

    def passes_codes(self, shapes: Sequence[Shape], output: Shape) -> bool:
        """See `QuantizedModule`."""
        return self.resize.mode == "nearest" or shapes[0][-2:] == output[-2:]

    def real(self, *inputs: Any) -> Tensor:
        """(B, C, h, w) and (H, W) to (B, C, H, W)."""
        return self.resize(*inputs)

    def unit(self) -> float:
        """See `QuantizedModule`."""
        return self.sources[0].code_unit()

    def freeze(self) -> None:
        """See `QuantizedModule`."""
        self.multiplier, self.shift = snap_ratio(
            self.name,
            self.sources[0].value() / self.output_scale() / arithmetic.WEIGHT_PRODUCT,
            bits=self.multiplier_bits,
        )

    def integer(self, *inputs: Any) -> Tensor:
        """See `QuantizedModule`."""
        codes, size = inputs
        low, high = self.output_bounds()
        y = arithmetic.bilinear(
            codes, size, self.multiplier, self.shift, bits=self.sources[0].bits, lo=low, hi=high
        )
        return self.leave(y)

    def exported(self, *inputs: Any) -> Tensor:
        """See `QuantizedModule`."""
        codes, size = inputs
        y = registered_ops.resize_bilinear(codes, size, self.multiplier, self.shift, *self.output_format)
        return self.leave_exported(y)
