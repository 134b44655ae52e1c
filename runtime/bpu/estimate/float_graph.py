"""A float network as a list of nodes in one vocabulary, whether it came from torch or from ONNX."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from runtime.bpu.operation import Shape

KINDS = (
    *("conv", "conv_transpose", "linear", "matmul", "attention"),
    *("batch_norm", "add_constant", "multiply_constant", "clamp", "pointwise"),
    *("add", "multiply", "divide", "concat"),
    *("max_pool", "avg_pool", "resize", "grid_sample", "reduce", "softmax", "normalise"),
    *("slice", "reshape", "transpose", "flip", "pad", "identity", "unknown"),
)


@dataclass(frozen=True, kw_only=True)
class FloatNode:
    """One call of a float network; what its weights hold does not matter, so they are shapes only.

    Args:
        kind: one of `KINDS`.
        inputs: names of the activations that it reads; constants are not among them.
        in_shapes: one an input.
        constants: shapes of the tensors among its arguments that do not depend on an input.
        output: name of its result, of the first one where it has several.
        out_shape: of the result.
        kernel: height and width of the window, in pixels.
        stride: of the window, down and across.
        dilation: of the window, down and across.
        padding: of the window, above and left, the larger side where they differ.
        groups: of a convolution.
        taps: values read for each one that `resize` or `grid_sample` writes.
        axes: what `reduce`, `softmax`, `normalise`, `concat`, `slice` and `pad` work along; of `transpose`
            the permutation. Empty where that is not known.
        is_contiguous: `slice` takes neighbours.
        clamps: an activation such as ReLU has been folded into the node.
        source: what the network's own format calls it, such as `aten.conv2d` or `Conv`.
        name: of the module or node.
        reason: why it is `unknown`, when there is more to say than that nobody described it.
    """

    kind: str
    inputs: tuple[str, ...]
    in_shapes: tuple[Shape, ...]
    output: str
    out_shape: Shape
    constants: tuple[Shape, ...] = ()
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    groups: int = 1
    taps: int = 4
    axes: tuple[int, ...] = ()
    is_contiguous: bool = True
    clamps: bool = False
    source: str = ""
    name: str = ""
    reason: str = ""

    @property
    def constant(self) -> Shape:
        """Shape of the largest constant; () for a number."""
        return max(self.constants, key=math.prod, default=())

    @property
    def has_weights(self) -> bool:
        return self.kind in ("conv", "conv_transpose", "linear")


@dataclass(frozen=True)
class FloatGraph:
    """Nodes in the order of computation.

    Args:
        inputs: shapes of what the network is given, by name.
        outputs: names of its results; some may be inputs.
        nodes: each reads inputs and outputs of earlier nodes.
    """

    inputs: Mapping[str, Shape]
    outputs: tuple[str, ...]
    nodes: tuple[FloatNode, ...]

    def producers(self) -> dict[str, FloatNode]:
        """The node that makes each value."""
        return {node.output: node for node in self.nodes}

    def uses(self) -> dict[str, int]:
        """How often each value is read, as a result of the network too."""
        counts: dict[str, int] = {}
        for name in (*(name for node in self.nodes for name in node.inputs), *self.outputs):
            counts[name] = counts.get(name, 0) + 1
        return counts

    def rewritten(self, nodes: Sequence[FloatNode], aliases: Mapping[str, str]) -> FloatGraph:
        """The graph of other nodes, in which the names of `aliases` are what they stand for."""

        def found(name: str) -> str:
            while name in aliases:
                name = aliases[name]
            return name

        return FloatGraph(
            inputs=self.inputs,
            outputs=tuple(found(name) for name in self.outputs),
            nodes=tuple(replace(node, inputs=tuple(map(found, node.inputs))) for node in nodes),
        )
