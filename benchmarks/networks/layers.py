"""Builds a network, as a list of operations and as a graph, while it follows the shapes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from runtime.bpu.estimate.float_graph import FloatGraph, FloatNode
from runtime.bpu.operation import Operation, Shape

Pair = int | tuple[int, int]


@dataclass(frozen=True)
class Map:
    """What one layer makes and others read.

    Args:
        name: of its own.
        shape: (B, C, H, W).
    """

    name: str
    shape: Shape

    @property
    def channels(self) -> int:
        return self.shape[1]


class Layers:
    """The layers of one network, batch normalisation folded and ReLUs free, as on the chip.

    Every method appends a layer and returns its result.

    Args:
        image: shape of what the network is given.
    """

    def __init__(self, image: Shape) -> None:
        self.image = Map("image", image)
        self.operations: list[Operation] = []
        self._nodes: list[FloatNode] = []

    @property
    def graph(self) -> FloatGraph:
        """The same network with its edges; what no layer reads are its results."""
        read = {name for node in self._nodes for name in node.inputs}
        outputs = tuple(node.output for node in self._nodes if node.output not in read)
        return FloatGraph({self.image.name: self.image.shape}, outputs, tuple(self._nodes))

    def conv(
        self,
        x: Map,
        channels: int,
        kernel: Pair = 1,
        stride: int = 1,
        *,
        groups: int = 1,
        residual: Map | None = None,
        pad: tuple[int, int] | None = None,
        silu: bool = False,
        is_output: bool = False,
    ) -> Map:
        """Padded by half a kernel, unless `pad` says otherwise; `residual` is added in the accumulator.

        `silu` appends its look-up table; `is_output` sends int32 accumulators to DDR, as detectors do.
        """
        kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
        ph, pw = (kh // 2, kw // 2) if pad is None else pad
        _, _, height, width = x.shape
        out = (
            x.shape[0],
            channels,
            (height + 2 * ph - kh) // stride + 1,
            (width + 2 * pw - kw) // stride + 1,
        )
        inputs = (x,) if residual is None else (x, residual)
        window = {"kernel": (kh, kw), "stride": (stride, stride), "padding": (ph, pw), "groups": groups}
        made = self._layer("conv", inputs, out, window, is_output=is_output, clamps=not is_output)
        return self.lookup(made) if silu else made

    def depthwise(self, x: Map, kernel: int = 3, stride: int = 1, *, silu: bool = False) -> Map:
        return self.conv(x, x.channels, kernel, stride, groups=x.channels, silu=silu)

    def linear(self, x: Map, features: int) -> Map:
        flat = Map(x.name, (x.shape[0], math.prod(x.shape[1:])))
        return self._layer("linear", (flat,), (x.shape[0], features), {}, is_output=True)

    def lookup(self, x: Map) -> Map:
        return self._layer("lookup", (x,), x.shape, {}, kind="pointwise")

    def add(self, *inputs: Map) -> Map:
        return self._layer("add", inputs, inputs[0].shape, {})

    def concat(self, *inputs: Map) -> Map:
        """No operation: the vendor gives all inputs one scale, so they are written side by side."""
        batch, _, *size = inputs[0].shape
        return self._node("concat", inputs, (batch, sum(x.channels for x in inputs), *size), axes=(1,))

    def part(self, x: Map, channels: int) -> Map:
        """Some of the channels, no operation either; which ones does not matter."""
        return self._node("slice", (x,), (x.shape[0], channels, *x.shape[2:]), axes=(1,))

    def max_pool(
        self, x: Map, kernel: int, stride: int, *, ceil: bool = False, pad: int | None = None
    ) -> Map:
        pad = kernel // 2 if pad is None else pad
        free = [size + 2 * pad - kernel for size in x.shape[2:]]
        height, width = (-(-size // stride) + 1 if ceil else size // stride + 1 for size in free)
        window = {"kernel": (kernel, kernel), "stride": (stride, stride), "padding": (pad, pad)}
        return self._layer("max_pool", (x,), (*x.shape[:2], height, width), window)

    def global_avg_pool(self, x: Map) -> Map:
        size = (x.shape[2], x.shape[3])
        return self._layer("avg_pool", (x,), (*x.shape[:2], 1, 1), {"kernel": size, "stride": size})

    def upsample(self, x: Map, factor: int = 2) -> Map:
        """Nearest."""
        batch, channels, height, width = x.shape
        return self._layer("resize", (x,), (batch, channels, height * factor, width * factor), {"taps": 1})

    def transposed(self, x: Map, channels: int) -> Map:
        """A transposed convolution, 2x2 with stride 2: the work of a 1x1 with four times the outputs."""
        batch, _, height, width = x.shape
        self._operation("conv", (x,), (batch, 4 * channels, height, width), {})
        window: dict[str, Any] = {"kernel": (2, 2), "stride": (2, 2)}
        out = (batch, channels, 2 * height, 2 * width)
        return self._node("conv_transpose", (x,), out, **window, clamps=True)

    def classify(self, x: Map, classes: int = 1000) -> Map:
        return self.linear(self.global_avg_pool(x), classes)

    def _layer(
        self,
        op: str,
        inputs: tuple[Map, ...],
        out: Shape,
        settings: dict[str, Any],
        *,
        kind: str | None = None,
        is_output: bool = False,
        clamps: bool = False,
    ) -> Map:
        ends = {"out_bits": 32 if is_output else 8, "writes_ddr": is_output}
        self._operation(op, inputs, out, {**settings, **ends})
        return self._node(kind or op, inputs, out, **settings, clamps=clamps)

    def _operation(self, op: str, inputs: tuple[Map, ...], out: Shape, settings: dict[str, Any]) -> None:
        index = len(self.operations)
        self.operations.append(
            Operation(
                op=op,
                in_shapes=tuple(x.shape for x in inputs),
                out_shape=out,
                name=f"{op}_{index}",
                reads_ddr=index == 0,
                **settings,
            )
        )

    def _node(self, kind: str, inputs: tuple[Map, ...], out: Shape, **settings: Any) -> Map:
        made = Map(f"{kind}_{len(self._nodes)}", out)
        names, shapes = tuple(x.name for x in inputs), tuple(x.shape for x in inputs)
        node = FloatNode(
            kind=kind,
            inputs=names,
            in_shapes=shapes,
            output=made.name,
            out_shape=out,
            name=made.name,
            **settings,
        )
        self._nodes.append(node)
        return made
