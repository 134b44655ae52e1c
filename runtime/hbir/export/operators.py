"""The operators `specgen::<operation>` but those with weights, as nodes of the graph.

Arguments are those of `runtime.quantization.registered_ops`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from torch import Tensor, fx

from runtime.hbir.export import program as reading
from runtime.hbir.export.translation import Codes, Real, Result, Translation, Value
from runtime.hbir.export.weighted import accumulate, convolve, dequantise_channels, round_sum
from runtime.hbir.graph import Attribute
from runtime.hbir.tensor_type import Constant, TensorType, code_type


def _quantise(to: Translation, node: fx.Node, x: Any, scale: float, bits: int, lo: int, hi: int) -> Value:
    value = to.value(x)
    if isinstance(value, Tensor):
        return node.target(value, scale, bits, lo, hi)  # type: ignore[operator]
    if not isinstance(value, Real):
        raise to.refuse(node, "quantises what is no input of the network")
    tensor = TensorType(value.name, code_type(bits), reading.shape(node), (scale,))
    known = to.builder.tensors.get(value.name)
    if known is not None and known != tensor:
        raise to.refuse(node, f"reads the input `{value.name}` at another scale than others do")
    return Codes(value.name if known else to.builder.add_input(tensor))


def _dequantise(to: Translation, node: fx.Node, codes: Any, scale: float) -> Value:
    name = to.codes(node, codes)
    if to.builder.tensors[name].scale != (scale,):
        raise to.refuse(node, f"takes `{name}` for codes of another scale")
    return Result(name)


def _add(to: Translation, node: fx.Node, inputs: Any, ms: Any, k: int, *formats: Any) -> Value:
    return to.rounded("add", node, inputs, formats, {"multipliers": tuple(ms), "shift": k})


def _view_sum(to: Translation, node: fx.Node, x: Any, m: int, k: int, views: int, *formats: Any) -> Value:
    attributes: dict[str, Attribute] = {"multiplier": m, "shift": k, "num_views": views}
    return to.rounded("view_sum", node, [x], formats, attributes)


def _concat(to: Translation, node: fx.Node, inputs: Any, ms: Any, ks: Any, *formats: Any) -> Value:
    return to.rounded("concat", node, inputs, formats, {"multipliers": tuple(ms), "shifts": tuple(ks)})


def _resize(to: Translation, node: fx.Node, x: Any, size: Any, m: int, k: int, *formats: Any) -> Value:
    attributes: dict[str, Attribute] = {"size": tuple(size), "multiplier": m, "shift": k}
    return to.rounded("resize_bilinear", node, [x], formats, attributes)


def _avg_pool(
    to: Translation, node: fx.Node, x: Any, m: int, k: int, kernel: Any, stride: Any, *formats: Any
) -> Value:
    attributes: dict[str, Attribute] = {"multiplier": m, "shift": k}
    attributes |= {"kernel": tuple(kernel), "stride": tuple(stride)}
    return to.rounded("avg_pool", node, [x], formats, attributes)


def _multiply(to: Translation, node: fx.Node, x: Any, gate: Any, m: int, k: int, *formats: Any) -> Value:
    return to.rounded("multiply", node, [x, gate], formats, {"multiplier": m, "shift": k})


def _lookup(to: Translation, node: fx.Node, x: Any, table: Any, in_bits: int, *formats: Any) -> Value:
    constants = {"table": Constant.of(to.tensor(node, table).numpy(), code_type(formats[1]))}
    return to.rounded("lookup", node, [x], formats, {}, constants)


def _grid_sample(
    to: Translation, node: fx.Node, x: Any, points: Any, m: int, k: int, fraction_bits: int, *formats: Any
) -> Value:
    value = to.value(points)
    constants = {"points": Constant.of(value.numpy(), "int16")} if isinstance(value, Tensor) else {}
    attributes: dict[str, Attribute] = {"multiplier": m, "shift": k, "fraction_bits": fraction_bits}
    inputs = [x] if constants else [x, points]
    return to.rounded("grid_sample", node, inputs, formats, attributes, constants)


OPERATORS: Mapping[str, Callable[..., Value]] = MappingProxyType(
    {
        "quantize": _quantise,
        "dequantize": _dequantise,
        "accumulate": accumulate,
        "conv": convolve,
        "round_sum": round_sum,
        "dequantize_channels": dequantise_channels,
        "add": _add,
        "view_sum": _view_sum,
        "concat": _concat,
        "resize_bilinear": _resize,
        "avg_pool": _avg_pool,
        "multiply": _multiply,
        "lookup": _lookup,
        "grid_sample": _grid_sample,
    }
)
"""By the operator's name."""
