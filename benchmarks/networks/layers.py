"""Builds a network as a list of operations while it follows the shapes."""

from __future__ import annotations

import math
from typing import Any

from runtime.bpu.operation import Operation, Shape

Pair = int | tuple[int, int]


class Layers:
    """The operations of one network, batch normalisation folded and ReLUs free, as on the chip.

    Every method appends operations and returns the shape (B, C, H, W) of its result.
    """

    def __init__(self) -> None:
        self.operations: list[Operation] = []

    def conv(
        self,
        x: Shape,
        channels: int,
        kernel: Pair = 1,
        stride: int = 1,
        *,
        groups: int = 1,
        residual: Shape | None = None,
        pad: tuple[int, int] | None = None,
        silu: bool = False,
        is_output: bool = False,
    ) -> Shape:
        """Padded by half a kernel, unless `pad` says otherwise; `residual` is added in the accumulator.

        `silu` appends its look-up table; `is_output` sends int32 accumulators to DDR, as detectors do.
        """
        kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
        ph, pw = (kh // 2, kw // 2) if pad is None else pad
        height, width = (x[2] + 2 * ph - kh) // stride + 1, (x[3] + 2 * pw - kw) // stride + 1
        out = (x[0], channels, height, width)
        inputs = (x,) if residual is None else (x, residual)
        window = {"kernel": (kh, kw), "stride": (stride, stride), "padding": (ph, pw)}
        ends = {"out_bits": 32 if is_output else 8, "writes_ddr": is_output}
        self._append("conv", inputs, out, groups=groups, **window, **ends)
        return self.lookup(out) if silu else out

    def depthwise(self, x: Shape, kernel: int = 3, stride: int = 1, *, silu: bool = False) -> Shape:
        return self.conv(x, x[1], kernel, stride, groups=x[1], silu=silu)

    def linear(self, x: Shape, features: int) -> Shape:
        out = (x[0], features)
        self._append("linear", ((x[0], math.prod(x[1:])),), out, out_bits=32, writes_ddr=True)
        return out

    def lookup(self, x: Shape) -> Shape:
        self._append("lookup", (x,), x)
        return x

    def add(self, *inputs: Shape) -> Shape:
        self._append("add", inputs, inputs[0])
        return inputs[0]

    def concat(self, *inputs: Shape) -> Shape:
        """No operation: the vendor gives all inputs one scale, so they are written side by side."""
        first = inputs[0]
        return (first[0], sum(shape[1] for shape in inputs), *first[2:])

    def max_pool(
        self, x: Shape, kernel: int, stride: int, *, ceil: bool = False, pad: int | None = None
    ) -> Shape:
        pad = kernel // 2 if pad is None else pad
        free = [x[2] + 2 * pad - kernel, x[3] + 2 * pad - kernel]
        height, width = (-(-size // stride) + 1 if ceil else size // stride + 1 for size in free)
        out = (x[0], x[1], height, width)
        window = {"kernel": (kernel, kernel), "stride": (stride, stride), "padding": (pad, pad)}
        self._append("max_pool", (x,), out, **window)
        return out

    def global_avg_pool(self, x: Shape) -> Shape:
        out = (x[0], x[1], 1, 1)
        self._append("avg_pool", (x,), out, kernel=x[2:], stride=x[2:])
        return out

    def upsample(self, x: Shape, factor: int = 2) -> Shape:
        """Nearest."""
        out = (x[0], x[1], x[2] * factor, x[3] * factor)
        self._append("resize", (x,), out, taps=1)
        return out

    def classify(self, x: Shape, classes: int = 1000) -> Shape:
        return self.linear(self.global_avg_pool(x), classes)

    def _append(self, op: str, inputs: tuple[Shape, ...], out: Shape, **settings: Any) -> None:
        index = len(self.operations)
        self.operations.append(
            Operation(
                op=op, in_shapes=inputs, out_shape=out, name=f"{op}_{index}", reads_ddr=index == 0, **settings
            )
        )
