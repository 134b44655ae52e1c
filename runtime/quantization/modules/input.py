"""Where real numbers become codes."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from runtime.quantization import registered_ops
from runtime.quantization.arithmetic import quantize
from runtime.quantization.config import OpName
from runtime.quantization.modules.base import QuantizedModule


class QuantizedInput(QuantizedModule):
    """The images: pixels to codes. Of scale 1/128, normalised YUV is the camera's bytes less 128."""

    op: ClassVar[OpName] = "input"

    def real(self, *inputs: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        return inputs[0]

    def freeze(self) -> None:
        """See `QuantizedModule`."""
        self.output_scale()

    def integer(self, *inputs: Tensor) -> Tensor:
        """Real numbers (B, C, H, W) to codes."""
        low, high = self.output_bounds()
        return quantize.quantize(inputs[0], self.output_scale(), lo=low, hi=high)

    def exported(self, *inputs: Tensor) -> Tensor:
        """See `QuantizedModule`."""
        return registered_ops.quantise(inputs[0], *self.output_format)
