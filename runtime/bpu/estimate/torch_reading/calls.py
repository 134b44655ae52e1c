"""What the operators of torch are, as nodes of a `FloatGraph`.

Each function takes a node of which inputs and shapes are known and the arguments of the call by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from runtime.bpu.estimate.contraction import Contraction, einsum, matmul
from runtime.bpu.estimate.elementwise import binary, of_kind
from runtime.bpu.estimate.float_graph import FloatNode
from runtime.bpu.estimate.windows import adaptive_pool, is_image, not_a_map, pair, same_padding

Arguments = Mapping[str, Any]
Describe = Callable[[FloatNode, Arguments], FloatNode]

SPLITS = ("split", "split_with_sizes", "chunk", "unbind", "tensor_split")


def split_part(node: FloatNode, arguments: Arguments) -> FloatNode:
    """One of the tensors that a call of `SPLITS` gives."""
    return _slice(node, arguments)


def _conv(node: FloatNode, arguments: Arguments) -> FloatNode:
    if len(node.inputs) > 1:
        return replace(node, reason="its weights are computed")
    if not is_image(node):
        return not_a_map(node)
    weight = node.constants[0]
    kernel = pair(weight[2:], single=1)
    stride, dilation = pair(arguments["stride"], single=1), pair(arguments["dilation"], single=1)
    window = replace(
        node, kernel=kernel, stride=stride, dilation=dilation, groups=arguments["groups"], kind="conv"
    )
    if arguments.get("transposed") or ("output_padding" in arguments and "transposed" not in arguments):
        return replace(window, kind="conv_transpose")
    padding = arguments["padding"]
    if isinstance(padding, str):
        size = same_padding(node.in_shapes[0], node.out_shape, kernel, stride, dilation)
        return replace(window, padding=size if padding == "same" else (0, 0))
    return replace(window, padding=pair(padding, single=0))


def _pool(kind: str) -> Describe:
    def describe(node: FloatNode, arguments: Arguments) -> FloatNode:
        if not is_image(node):
            return not_a_map(node)
        kernel = pair(_both(arguments["kernel_size"], node), single=1)
        return replace(
            node,
            kind=kind,
            kernel=kernel,
            stride=pair(_both(arguments["stride"], node), single=1) if arguments["stride"] else kernel,
            padding=pair(_both(arguments["padding"], node), single=0),
        )

    return describe


def _both(values: Any, node: FloatNode) -> Any:
    """One value stands for both sides of a map."""
    return [*values, *values] if len(values) == 1 and len(node.out_shape) == 4 else values


def _matmul(node: FloatNode, arguments: Arguments) -> FloatNode:
    if len(node.inputs) < 2:
        return _linear(node, arguments)
    return _contracted(node, matmul(*node.in_shapes[-2:]))


def _einsum(node: FloatNode, arguments: Arguments) -> FloatNode:
    if len(node.inputs) == 1 and len(node.constants) == 1:
        return replace(node, reason="an equation with weights")
    return _contracted(node, einsum(arguments["equation"], node.in_shapes))


def _contracted(node: FloatNode, found: Contraction | None) -> FloatNode:
    if found is None:
        return replace(node, reason="no matrix product")
    first, second, product = found.shapes
    return replace(node, kind="matmul", in_shapes=(first, second), out_shape=product, inputs=node.inputs[-2:])


def _linear(node: FloatNode, arguments: Arguments) -> FloatNode:
    if len(node.inputs) > 1:
        return replace(node, reason="its weights are computed")
    return replace(node, kind="linear")


def _attention(node: FloatNode, arguments: Arguments) -> FloatNode:
    return replace(node, kind="attention") if len(node.in_shapes) >= 3 else node


def _resize(taps: int) -> Describe:
    def describe(node: FloatNode, arguments: Arguments) -> FloatNode:
        return replace(node, kind="resize", taps=taps) if is_image(node) else not_a_map(node)

    return describe


def _grid_sample(node: FloatNode, arguments: Arguments) -> FloatNode:
    if len(node.out_shape) != 4:
        return not_a_map(node)
    shapes = (*node.in_shapes, *node.constants)
    taps = {0: 4, 1: 1, 2: 16}[arguments["interpolation_mode"]]
    return replace(node, kind="grid_sample", taps=taps, in_shapes=shapes[:2])


def _reduce(node: FloatNode, arguments: Arguments) -> FloatNode:
    rank = len(node.in_shapes[0])
    dims = arguments.get("dim")
    given = [dims] if isinstance(dims, int) else (dims or range(rank))
    return replace(node, kind="reduce", axes=tuple(dim % rank for dim in given))


def _softmax(node: FloatNode, arguments: Arguments) -> FloatNode:
    return replace(node, kind="softmax", axes=(arguments["dim"] % len(node.out_shape),))


def _layer_norm(node: FloatNode, arguments: Arguments) -> FloatNode:
    rank = len(node.out_shape)
    return replace(node, kind="normalise", axes=tuple(range(rank - len(arguments["normalized_shape"]), rank)))


def _group_norm(node: FloatNode, arguments: Arguments) -> FloatNode:
    return replace(node, kind="normalise", axes=tuple(range(1, len(node.out_shape))))


def _slice(node: FloatNode, arguments: Arguments) -> FloatNode:
    axis = arguments.get("dim", 0) % len(node.in_shapes[0])
    return replace(node, kind="slice", axes=(axis,), is_contiguous=arguments.get("step", 1) == 1)


def _concat(node: FloatNode, arguments: Arguments) -> FloatNode:
    return replace(node, kind="concat", axes=(arguments["dim"] % len(node.out_shape),))


def _transpose(node: FloatNode, arguments: Arguments) -> FloatNode:
    rank = len(node.in_shapes[0])
    axes = list(range(rank))
    if "dims" in arguments:
        axes = [axis % rank for axis in arguments["dims"]]
    else:
        first, second = arguments.get("dim0", 0) % rank, arguments.get("dim1", 1) % rank
        axes[first], axes[second] = axes[second], axes[first]
    return replace(node, kind="transpose", axes=tuple(axes))


def _pad(node: FloatNode, arguments: Arguments) -> FloatNode:
    pads = arguments["pad"]
    # From the last dimension on: (left, right, top, bottom, ...).
    down, across = max(pads[2:4], default=0), max(pads[:2], default=0)
    return replace(node, kind="pad", padding=(max(0, down), max(0, across)))


def _power(node: FloatNode, arguments: Arguments) -> FloatNode:
    return of_kind("pointwise")(node, arguments) if len(node.inputs) == 1 else node


def _clamp(node: FloatNode, arguments: Arguments) -> FloatNode:
    return replace(node, kind="clamp") if len(node.inputs) == 1 else node


def _kinds(kind: str, *names: str) -> dict[str, Describe]:
    return dict.fromkeys(names, of_kind(kind))


CALLS: Mapping[str, Describe] = {
    **dict.fromkeys(("conv1d", "conv2d", "convolution", "conv_transpose1d", "conv_transpose2d"), _conv),
    **dict.fromkeys(("matmul", "bmm", "mm"), _matmul),
    **dict.fromkeys(("linear", "addmm"), _linear),
    "einsum": _einsum,
    "scaled_dot_product_attention": _attention,
    **_kinds("batch_norm", "batch_norm", "native_batch_norm", "_native_batch_norm_legit_no_training"),
    **_kinds("batch_norm", "_native_batch_norm_legit", "cudnn_batch_norm"),
    **_kinds("clamp", "relu", "relu6", "hardtanh"),
    **dict.fromkeys(("clamp", "clamp_min", "clamp_max", "clip"), _clamp),
    **_kinds("pointwise", "sigmoid", "hardsigmoid", "silu", "hardswish", "gelu", "tanh", "mish", "softplus"),
    **_kinds(
        "pointwise", "leaky_relu", "elu", "selu", "celu", "prelu", "log_sigmoid", "softsign", "threshold"
    ),
    **_kinds("pointwise", "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "square", "reciprocal", "erf"),
    **_kinds("pointwise", "abs", "neg", "sign", "floor", "ceil", "round", "trunc", "sin", "cos", "atan"),
    **dict.fromkeys(("pow",), _power),
    **dict.fromkeys(("add", "sub", "rsub"), binary("add")),
    **dict.fromkeys(("mul",), binary("multiply")),
    **dict.fromkeys(("div", "true_divide"), binary("divide")),
    **dict.fromkeys(("maximum", "minimum"), binary("maximum")),
    **dict.fromkeys(("cat", "concat", "concatenate", "stack"), _concat),
    **dict.fromkeys(("max_pool1d", "max_pool2d", "max_pool2d_with_indices"), _pool("max_pool")),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d"), _pool("avg_pool")),
    **dict.fromkeys(
        ("adaptive_avg_pool1d", "adaptive_avg_pool2d", "_adaptive_avg_pool2d"),
        lambda node, arguments: adaptive_pool(node, "avg_pool"),
    ),
    **dict.fromkeys(
        ("adaptive_max_pool1d", "adaptive_max_pool2d"),
        lambda node, arguments: adaptive_pool(node, "max_pool"),
    ),
    **dict.fromkeys(("upsample_nearest1d", "upsample_nearest2d", "_upsample_nearest_exact2d"), _resize(1)),
    **dict.fromkeys(("upsample_linear1d", "upsample_bilinear2d", "_upsample_bilinear2d_aa"), _resize(4)),
    **dict.fromkeys(("upsample_bicubic2d",), _resize(16)),
    **dict.fromkeys(("grid_sampler", "grid_sampler_2d"), _grid_sample),
    **dict.fromkeys(("mean", "sum", "amax", "amin"), _reduce),
    **dict.fromkeys(("softmax", "_softmax", "log_softmax", "_log_softmax", "_safe_softmax"), _softmax),
    **dict.fromkeys(("layer_norm", "native_layer_norm"), _layer_norm),
    **dict.fromkeys(("group_norm", "native_group_norm", "instance_norm"), _group_norm),
    **dict.fromkeys(("slice", "select", "narrow"), _slice),
    **_kinds("reshape", "view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "_unsafe_view"),
    **_kinds("reshape", "view_as", "_reshape_alias", "ravel"),
    **dict.fromkeys(("transpose", "permute", "t", "swapaxes"), _transpose),
    **_kinds("transpose", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "roll", "repeat"),
    **_kinds("flip", "flip"),
    **dict.fromkeys(("pad", "constant_pad_nd"), _pad),
    **_kinds(
        "identity", "dropout", "native_dropout", "feature_dropout", "alpha_dropout", "contiguous", "clone"
    ),
    **_kinds(
        "identity", "detach", "alias", "to", "_to_copy", "type_as", "lift_fresh_copy", "expand", "expand_as"
    ),
    **_kinds("identity", "float", "half", "_assert_tensor_metadata", "positive"),
}
