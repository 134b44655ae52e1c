"""Average pooling: an integer sum, and one rescale that contains the division."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from runtime.errors import RunError
from runtime.models.blocks import BinAvgPool
from runtime.models.blocks.avg_pool import bin_kernel
from runtime.quantization import registered_ops
from runtime.quantization.arithmetic import avg_pool as arithmetic
from runtime.quantization.config import OpName
from runtime.quantization.modules.base import QuantizedModule, Shape
from runtime.quantization.snap import snap_ratio


class QuantizedAvgPool(QuantizedModule):
    """`BinAvgPool` or `GlobalAvgPool`, for maps of the size that the model was converted for.

    Args:
        name: see `QuantizedModule`.
        pool: the float module.
    """

    op: ClassVar[OpName] = "avg_pool"

    def __init__(self, name: str, pool: nn.Module) -> None:
        super().__init__(name)
        self.pool = pool

    def real(self, *inputs: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, h, w)."""
        return self.pool(inputs[0])

    def unit(self) -> float:
        """See `QuantizedModule`: the mean over N pixels has the unit of the input over N."""
        window, _ = _window(self.pool, self.input_shapes[0])
        return self.sources[0].code_unit() / (window[0] * window[1])

    def freeze(self) -> None:
        """See `QuantizedModule`."""
        self.window, self.stride = _window(self.pool, self.input_shapes[0])
        self.multiplier, self.shift = snap_ratio(
            self.name,
            self.sources[0].value() / (self.output_scale() * self.window[0] * self.window[1]),
            bits=self.multiplier_bits,
        )

    def integer(self, *codes: Tensor) -> Tensor:
        """See `QuantizedModule`."""
        self._check_size(codes[0])
        low, high = self.output_bounds()
        y = arithmetic.kernel(
            codes[0],
            self.multiplier,
            self.shift,
            kernel_size=self.window,
            stride=self.stride,
            bits=self.sources[0].bits,
            lo=low,
            hi=high,
        )
        return self.leave(y)

    def _check_size(self, x: Tensor) -> None:
        expected, got = self.input_shapes[0][-2:], tuple(x.shape[-2:])
        if got != expected:
            raise RunError(
                f"`{self.name}` divides by the pixels of maps of {expected}, and was given one of {got}",
                hint="convert the model for the size of the images that it sees",
            )

    def exported(self, *codes: Tensor) -> Tensor:
        """See `QuantizedModule`."""
        y = registered_ops.average_pool(
            codes[0], self.multiplier, self.shift, self.window, self.stride, *self.output_format
        )
        return self.leave_exported(y)


def _window(pool: nn.Module, shape: Shape) -> tuple[tuple[int, int], tuple[int, int]]:
    """(kernel, stride), each (y, x) in pixels."""
    height, width = shape[-2:]
    if not isinstance(pool, BinAvgPool):
        return (height, width), (height, width)
    (kernel_y, stride_y), (kernel_x, stride_x) = (
        bin_kernel(size, min(pool.bins, size)) for size in (height, width)
    )
    return (kernel_y, kernel_x), (stride_y, stride_x)
