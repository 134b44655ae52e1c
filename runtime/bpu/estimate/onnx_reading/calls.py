"""What the operators of ONNX are, as nodes of a `FloatGraph`.

Each function takes a node of which inputs and shapes are known, and the arguments of the operator.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace

from runtime.bpu.estimate.contraction import Contraction, einsum, matmul
from runtime.bpu.estimate.elementwise import binary, of_kind
from runtime.bpu.estimate.float_graph import FloatNode
from runtime.bpu.estimate.onnx_reading.values import Arguments
from runtime.bpu.estimate.windows import is_image, not_a_map, pair, same_padding

Describe = Callable[[FloatNode, Arguments], FloatNode]


def split_part(node: FloatNode, arguments: Arguments) -> FloatNode:
    """One of the results of a `Split`."""
    return replace(node, kind="slice", axes=(arguments.integer("axis", 0) % len(node.out_shape),))


def _conv(kind: str) -> Describe:
    def describe(node: FloatNode, arguments: Arguments) -> FloatNode:
        if len(node.inputs) > 1 or not node.constants:
            return replace(node, reason="its weights are computed")
        if not is_image(node):
            return not_a_map(node)
        window = _window(node, arguments, node.constants[0][2:])
        return replace(window, kind=kind, groups=arguments.integer("group", 1))

    return describe


def _pool(kind: str) -> Describe:
    def describe(node: FloatNode, arguments: Arguments) -> FloatNode:
        if not is_image(node):
            return not_a_map(node)
        return replace(_window(node, arguments, arguments.integers("kernel_shape")), kind=kind)

    return describe


def _window(node: FloatNode, arguments: Arguments, kernel_shape: tuple[int, ...]) -> FloatNode:
    sides = len(node.out_shape) - 2
    ones, zeros = (1,) * sides, (0,) * (2 * sides)
    kernel = pair(kernel_shape, single=1)
    stride = pair(arguments.integers("strides", ones), single=1)
    dilation = pair(arguments.integers("dilations", ones), single=1)
    if arguments.text("auto_pad", "NOTSET").startswith("SAME"):
        padding = same_padding(node.in_shapes[0], node.out_shape, kernel, stride, dilation)
    else:
        pads = arguments.integers("pads", zeros)
        padding = pair([max(pads[side], pads[side + sides]) for side in range(sides)], single=0)
    return replace(node, kernel=kernel, stride=stride, dilation=dilation, padding=padding)


def _global_pool(kind: str) -> Describe:
    def describe(node: FloatNode, arguments: Arguments) -> FloatNode:
        if not is_image(node):
            return not_a_map(node)
        size = pair(node.in_shapes[0][2:], single=1)
        return replace(node, kind=kind, kernel=size, stride=size)

    return describe


def _matmul(node: FloatNode, arguments: Arguments) -> FloatNode:
    if len(node.inputs) < 2:
        return replace(node, kind="linear")
    return _contracted(node, matmul(*node.in_shapes[:2]))


def _gemm(node: FloatNode, arguments: Arguments) -> FloatNode:
    if len(node.inputs) > 1:
        return replace(node, reason="its weights are computed")
    return replace(node, kind="linear")


def _einsum(node: FloatNode, arguments: Arguments) -> FloatNode:
    if len(node.inputs) < 2:
        return replace(node, reason="an equation with weights")
    return _contracted(node, einsum(arguments.text("equation", ""), node.in_shapes))


def _contracted(node: FloatNode, found: Contraction | None) -> FloatNode:
    if found is None:
        return replace(node, reason="no matrix product")
    first, second, product = found.shapes
    return replace(node, kind="matmul", in_shapes=(first, second), out_shape=product)


def _resize(node: FloatNode, arguments: Arguments) -> FloatNode:
    taps = {"nearest": 1, "linear": 4, "cubic": 16}.get(arguments.text("mode", "nearest"))
    if taps is None or not is_image(node) or node.in_shapes[0][:2] != node.out_shape[:2]:
        return not_a_map(node)
    return replace(node, kind="resize", taps=taps, inputs=node.inputs[:1], in_shapes=node.in_shapes[:1])


def _grid_sample(node: FloatNode, arguments: Arguments) -> FloatNode:
    if len(node.out_shape) != 4:
        return not_a_map(node)
    mode = arguments.text("mode", "bilinear")
    taps = {"nearest": 1, "bicubic": 16, "cubic": 16}.get(mode, 4)
    return replace(node, kind="grid_sample", taps=taps, in_shapes=(*node.in_shapes, *node.constants)[:2])


def _reduce(node: FloatNode, arguments: Arguments) -> FloatNode:
    rank = len(node.in_shapes[0])
    given = arguments.integers("axes") or arguments.values(1) or tuple(range(rank))
    return replace(node, kind="reduce", axes=tuple(axis % rank for axis in given))


def _softmax(node: FloatNode, arguments: Arguments) -> FloatNode:
    return replace(node, kind="softmax", axes=(arguments.integer("axis", -1) % len(node.out_shape),))


def _layer_norm(node: FloatNode, arguments: Arguments) -> FloatNode:
    rank = len(node.out_shape)
    return replace(node, kind="normalise", axes=tuple(range(arguments.integer("axis", -1) % rank, rank)))


def _instance_norm(node: FloatNode, arguments: Arguments) -> FloatNode:
    first = 1 if arguments.op == "GroupNormalization" else 2
    return replace(node, kind="normalise", axes=tuple(range(first, len(node.out_shape))))


def _slice(node: FloatNode, arguments: Arguments) -> FloatNode:
    axes, steps = arguments.values(3), arguments.values(4) or ()
    if axes is None:
        changed = zip(node.in_shapes[0], node.out_shape, strict=False)
        axes = tuple(axis for axis, (before, after) in enumerate(changed) if before != after)
    rank = len(node.out_shape)
    is_contiguous = all(step == 1 for step in steps)
    return replace(node, kind="slice", axes=tuple(axis % rank for axis in axes), is_contiguous=is_contiguous)


def _gather(node: FloatNode, arguments: Arguments) -> FloatNode:
    """With one constant index it is a slice; with several, or a computed one, a move of its own."""
    axis, indices = arguments.integer("axis", 0), arguments.values(1)
    if len(node.inputs) > 1 or indices is None:
        return replace(node, reason="its indices are no constants")
    steps = {after - before for before, after in itertools.pairwise(indices)}
    return replace(node, kind="slice", axes=(axis % len(node.in_shapes[0]),), is_contiguous=steps <= {1})


def _concat(node: FloatNode, arguments: Arguments) -> FloatNode:
    return replace(node, kind="concat", axes=(arguments.integer("axis", 1) % len(node.out_shape),))


def _transpose(node: FloatNode, arguments: Arguments) -> FloatNode:
    rank = len(node.out_shape)
    return replace(node, kind="transpose", axes=arguments.integers("perm", tuple(range(rank - 1, -1, -1))))


def _pad(node: FloatNode, arguments: Arguments) -> FloatNode:
    rank = len(node.out_shape)
    pads = arguments.integers("pads") or arguments.values(1)
    if pads is None or len(pads) != 2 * rank or rank < 2:
        grown = [after - before for before, after in zip(node.in_shapes[0], node.out_shape, strict=True)]
        pads = (0,) * rank + tuple(grown)
    down, across = (max(0, pads[axis], pads[axis + rank]) for axis in (max(0, rank - 2), rank - 1))
    return replace(node, kind="pad", padding=(down, across))


def _sum(node: FloatNode, arguments: Arguments) -> FloatNode:
    return replace(node, kind="identity" if len(node.inputs) == 1 and not node.constants else "add")


def _kinds(kind: str, *names: str) -> dict[str, Describe]:
    return dict.fromkeys(names, of_kind(kind))


def _power(node: FloatNode, arguments: Arguments) -> FloatNode:
    return replace(node, kind="pointwise") if len(node.inputs) == 1 else node


CALLS: Mapping[str, Describe] = {
    "Conv": _conv("conv"),
    "ConvTranspose": _conv("conv_transpose"),
    "MatMul": _matmul,
    "Gemm": _gemm,
    "Einsum": _einsum,
    **_kinds("batch_norm", "BatchNormalization"),
    **_kinds("clamp", "Relu", "Clip"),
    **_kinds(
        "pointwise", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Gelu", "Mish", "Softplus", "Softsign"
    ),
    **_kinds("pointwise", "LeakyRelu", "Elu", "Selu", "Celu", "PRelu", "ThresholdedRelu", "Swish"),
    **_kinds("pointwise", "Exp", "Log", "Sqrt", "Reciprocal", "Erf", "Abs", "Neg", "Sign", "Floor", "Ceil"),
    **_kinds("pointwise", "Round", "Sin", "Cos", "Atan"),
    "Pow": _power,
    "Add": binary("add"),
    "Sub": binary("add"),
    "Sum": _sum,
    "Mul": binary("multiply"),
    "Div": binary("divide"),
    "Max": binary("maximum"),
    "Min": binary("maximum"),
    "Concat": _concat,
    "MaxPool": _pool("max_pool"),
    "AveragePool": _pool("avg_pool"),
    "GlobalMaxPool": _global_pool("max_pool"),
    "GlobalAveragePool": _global_pool("avg_pool"),
    "Resize": _resize,
    "Upsample": _resize,
    "GridSample": _grid_sample,
    **dict.fromkeys(("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"), _reduce),
    **dict.fromkeys(("Softmax", "LogSoftmax"), _softmax),
    "LayerNormalization": _layer_norm,
    **dict.fromkeys(("InstanceNormalization", "GroupNormalization"), _instance_norm),
    "Slice": _slice,
    "Gather": _gather,
    **_kinds("reshape", "Reshape", "Flatten", "Squeeze", "Unsqueeze"),
    "Transpose": _transpose,
    **_kinds("transpose", "DepthToSpace", "SpaceToDepth", "Tile"),
    "Pad": _pad,
    **_kinds("identity", "Identity", "Dropout", "Cast", "CastLike", "Expand"),
    # Codes are what is counted anyway.
    **_kinds("identity", "QuantizeLinear", "DequantizeLinear"),
}
