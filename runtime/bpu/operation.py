"""What the hardware model must know of an operation: shapes, window, groups, bits; no weights, no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

Shape = tuple[int, ...]

OPERATIONS = (
    *("conv", "linear", "add", "multiply", "concat", "lookup", "view_sum"),
    *("max_pool", "avg_pool", "resize", "grid_sample"),
    *("slice", "reshape", "transpose", "flip"),
)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation of a network, as plain numbers.

    Args:
        op: one of `OPERATIONS`.
        in_shapes: of every activation that it reads, (B, C, H, W), or (B, C) for `linear`. A second input of
            `conv` is the residual that is added in its accumulator; the second of `grid_sample` is the grid,
            (B, H, W, 2).
        out_shape: (B, C, H, W), or (B, C).
        kernel: height and width of the window of `conv` and pools, in pixels.
        stride: of the window, down and across.
        dilation: of the window, down and across.
        padding: of the window, above and left, the larger side where they differ.
        groups: of `conv`; as many as channels for a depthwise one.
        taps: values that `resize` and `grid_sample` read for each one they write: 4 bilinear, 1 nearest.
        in_bits: of the activations that are read, 8 or 16.
        out_bits: of the activations that are written: 8, 16, or 32 for an accumulator.
        weight_bits: of the weights of `conv` and `linear`.
        reads_ddr: the first input is the network's and lies in DDR whatever its size.
        writes_ddr: the output is the network's and goes to DDR whatever its size.
        name: shown in reports.
    """

    op: str
    in_shapes: tuple[Shape, ...]
    out_shape: Shape
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    groups: int = 1
    taps: int = 4
    in_bits: int = 8
    out_bits: int = 8
    weight_bits: int = 8
    reads_ddr: bool = False
    writes_ddr: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        if self.op not in OPERATIONS:
            raise ValueError(f"`op` is {self.op!r}, which is none of {', '.join(OPERATIONS)}")
        for shape in (*self.in_shapes, self.out_shape):
            if not shape or min(shape) < 1:
                raise ValueError(
                    f"a shape of `{self.name or self.op}` is {shape}: every size must be at least 1"
                )
        if not self.in_shapes:
            raise ValueError(f"`{self.name or self.op}` has no input")
        if self.op == "conv" and (self.in_channels % self.groups or self.out_channels % self.groups):
            raise ValueError(
                f"`{self.name or self.op}` has {self.groups} groups, which do not divide its "
                f"{self.in_channels} and {self.out_channels} channels"
            )

    @property
    def in_channels(self) -> int:
        return self.in_shapes[0][1] if len(self.in_shapes[0]) > 1 else self.in_shapes[0][0]

    @property
    def out_channels(self) -> int:
        return self.out_shape[1] if len(self.out_shape) > 1 else self.out_shape[0]

    @property
    def has_weights(self) -> bool:
        return self.op in ("conv", "linear")

    @property
    def kind(self) -> str:
        """Of the tensor engine: `depthwise`, `pointwise` (1x1 and linear) or `dense`."""
        if self.groups > 1 and self.groups == self.in_channels:
            return "depthwise"
        return "pointwise" if self.op == "linear" or (self.kernel == (1, 1) and self.groups == 1) else "dense"

    @property
    def macs(self) -> int:
        """Multiply-accumulates without padding: of weights, and of taps for resize and sampling."""
        if self.has_weights:
            return math.prod(self.out_shape) * self.in_channels // self.groups * math.prod(self.kernel)
        return self.taps * math.prod(self.out_shape) if self.op in ("resize", "grid_sample") else 0

    @property
    def parameters(self) -> int:
        """Weights and one bias an output channel."""
        if not self.has_weights:
            return 0
        return self.out_channels * (self.in_channels // self.groups * math.prod(self.kernel) + 1)
