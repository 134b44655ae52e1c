"""Operators with weights, as nodes of the graph, and the sum that rounds for one of them.

Arguments are those of `runtime.quantization.registered_ops`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import fx

from runtime.hbir.export import program as reading
from runtime.hbir.export.translation import Accumulator, Codes, Result, Translation, Value
from runtime.hbir.graph import Attribute
from runtime.hbir.tensor_type import Constant, DType, code_type
from runtime.quantization.arithmetic.rescale import multiplier


def accumulate(to: Translation, node: fx.Node, *_: Any) -> Value:
    """Becomes a node with what rounds it, or with what lets it leave."""
    if len(node.users) > 1:
        raise to.refuse(node, "makes an accumulator that is read more than once")
    return Accumulator(node)


def convolve(
    to: Translation, node: fx.Node, x: Any, weight: Any, bias: Any, factor: Any, *rest: Any
) -> Value:
    """A convolution or linear layer that rounds by itself."""
    *window, scale, bits, lo, hi = rest
    constants = {**_weights(to, node), **_rescale(to, node, factor)}
    attributes = {**_window(x, window), "lo": lo, "hi": hi}
    made = _add_node(to, node, to.node_name(node), [x], attributes, constants, (code_type(bits), (scale,)))
    return Codes(made)


def round_sum(
    to: Translation,
    node: fx.Node,
    acc: Any,
    factor: Any,
    residual: Any,
    step: Any,
    residual_multiplier: Any,
    *formats: Any,
) -> Value:
    """A convolution whose accumulator a sum rounds: named for the convolution, its result for the sum."""
    scale, bits, lo, hi = formats
    conv = _pending(to, node, acc)
    multipliers = to.tensor(node, residual_multiplier).numpy()
    constants = {
        **_weights(to, conv),
        **_rescale(to, node, factor),
        "residual_multiplier": Constant.of(multipliers, "int64"),
    }
    x, *window = conv.args[0], *conv.args[3:]
    attributes = {**_window(x, window), "lo": lo, "hi": hi}
    made = _add_node(
        to,
        node,
        to.node_name(conv),
        [x, residual],
        attributes,
        constants,
        (code_type(bits), (scale,)),
        output=to.node_name(node),
    )
    return Codes(made)


def dequantise_channels(to: Translation, node: fx.Node, acc: Any, scale: Any) -> Value:
    """An accumulator that is a result of the network."""
    conv = _pending(to, node, acc)
    steps = tuple(to.tensor(node, scale).flatten().tolist())
    x, *window = conv.args[0], *conv.args[3:]
    made = _add_node(
        to, node, to.node_name(conv), [x], _window(x, window), _weights(to, conv), ("int32", steps)
    )
    return Result(made)


def _pending(to: Translation, node: fx.Node, acc: Any) -> fx.Node:
    value = to.value(acc)
    if not isinstance(value, Accumulator):
        raise to.refuse(node, f"reads `{acc}`, which is no accumulator")
    return value.node


def _add_node(
    to: Translation,
    node: fx.Node,
    name: str,
    inputs: Sequence[Any],
    attributes: dict[str, Attribute],
    constants: dict[str, Constant],
    made: tuple[DType, tuple[float, ...]],
    *,
    output: str | None = None,
) -> str:
    sources = [to.codes(node, x) for x in inputs]
    op = "conv" if "groups" in attributes else "linear"
    if op == "linear":
        weight = constants["weight"]
        constants = {**constants, "weight": Constant(weight.dtype, weight.shape[:2], weight.data)}
    dtype, scale = made
    return to.builder.add(op, name, sources, attributes, constants, output=output, dtype=dtype, scale=scale)


def _weights(to: Translation, node: fx.Node) -> dict[str, Constant]:
    weight, bias = (to.tensor(node, argument).numpy() for argument in node.args[1:3])
    return {"weight": Constant.of(weight, "int8"), "bias": Constant.of(bias, "int32")}


def _rescale(to: Translation, node: fx.Node, factor: Any) -> dict[str, Constant]:
    factors = to.tensor(node, factor).flatten().numpy()
    m, k = multiplier(factors)
    if not np.array_equal(np.ldexp(m.astype(np.float64), -k), factors):
        raise to.refuse(node, "rescales by numbers that are not m * 2^-k")
    return {"multiplier": Constant.of(m, "int16"), "shift": Constant.of(k, "int8")}


def _window(x: Any, window: Sequence[Any]) -> dict[str, Attribute]:
    """None of a linear layer, whose input has two axes."""
    if len(reading.shape(x)) == 2:
        return {}
    stride, padding, dilation, groups = window
    return {"stride": tuple(stride), "padding": tuple(padding), "dilation": tuple(dilation), "groups": groups}
