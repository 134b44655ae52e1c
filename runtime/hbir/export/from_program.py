"""A program of `torch.export` whose operators are `specgen::<operation>` becomes a graph.

The program is that of the evaluation model in fixed point, of one sample or any number of them. Its operators
say everything, so each becomes a node by itself, but for three: what turns the network's inputs into codes is
left to the host and becomes the type of the input; a convolution whose accumulator a sum rounds is one node
with that sum; results leave as codes or accumulators with their scale. Operators of torch between them may
only move values.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, fx
from torch.export import ExportedProgram

from runtime.errors import RunError
from runtime.hbir.export import program as reading
from runtime.hbir.export.builder import Builder
from runtime.hbir.export.moves import IDENTITIES, MOVES
from runtime.hbir.graph import Attribute, Graph
from runtime.hbir.tensor_type import Constant, TensorType, code_type
from runtime.hbir.validate import validate
from runtime.quantization.arithmetic.rescale import multiplier as nearest_multiplier


@dataclass(frozen=True)
class Codes:
    """A tensor of the graph."""

    name: str


@dataclass(frozen=True)
class Real:
    """An input of the network before it is codes."""

    name: str


@dataclass(frozen=True)
class Accumulator:
    """A convolution that is not rounded yet."""

    node: fx.Node


@dataclass(frozen=True)
class Result:
    """What leaves the network, as real numbers in the program and as codes in the graph."""

    name: str


Value = Codes | Real | Accumulator | Result | Tensor | list[Any]


def graph_of_program(
    program: ExportedProgram, *, prefix: str = "", aliases: Mapping[str, str] | None = None
) -> Graph:
    """The graph of a program.

    Args:
        program: called with real inputs, each read by `specgen::quantize` alone; returns results by name.
        prefix: taken off the names of modules.
        aliases: other names of some modules.

    Raises:
        RunError: an operator that fixed point does not know, or values used in ways it has no form for.
    """
    return _Translation(program, prefix, aliases or {}).graph()


class _Translation:
    def __init__(self, program: ExportedProgram, prefix: str, aliases: Mapping[str, str]) -> None:
        self.program = program
        self.prefix = prefix
        self.aliases = aliases
        self.builder = Builder()
        self.values: dict[str, Any] = dict(reading.constants(program))

    def graph(self) -> Graph:
        for name in reading.input_names(self.program):
            self.values[name] = Real(name)
        for node in self.program.graph.nodes:
            if node.op == "call_function":
                self.values[node.name] = self._translate(node)
        outputs = {}
        for key, node in reading.results(self.program).items():
            value = self.values[node.name]
            if not isinstance(value, Result):
                raise RunError(f"the result `{key}` of the model is not made by a quantised module")
            outputs[key] = value.name
        return validate(self.builder.graph(outputs))

    def name(self, node: fx.Node) -> str:
        """Of the module that a node comes from."""
        return reading.module_name(node, self.aliases).removeprefix(self.prefix.rstrip(".")).lstrip(".")

    def value(self, node: Any) -> Any:
        """What an argument stands for."""
        return self.values.get(node.name) if isinstance(node, fx.Node) else node

    def codes(self, user: fx.Node, node: Any) -> str:
        """The tensor of the graph that an argument is."""
        value = self.value(node)
        if not isinstance(value, Codes):
            what = type(value).__name__.lower()
            raise self.refuse(user, f"reads `{node}`, which is no tensor of codes but {what}")
        return value.name

    def tensor(self, user: fx.Node, node: Any) -> Tensor:
        """The constant that an argument is."""
        value = self.value(node)
        if not isinstance(value, Tensor):
            raise self.refuse(user, f"reads `{node}`, which is not a constant")
        return value

    def refuse(self, node: fx.Node, why: str) -> RunError:
        """The error for what has no fixed-point form."""
        return RunError(
            f"`{node.target}` in `{self.name(node) or 'the model'}` {why}: HBIR has no form for it",
            hint="use a module of runtime.models.blocks for it, or let no rule keep its tensor in float",
        )

    def _translate(self, node: fx.Node) -> Value | None:
        if node.target is operator.getitem:
            return self.value(node.args[0])[node.args[1]]
        target = str(node.target)
        kind, _, name = target.partition(".")
        if kind == "specgen":
            method = getattr(self, f"_{name.partition('.')[0]}", None)
            if method is None:
                raise self.refuse(node, "is no operator that is known")
            return method(node, *node.args)
        if target in _SIZES or not isinstance(node.meta.get("val"), Tensor | list | tuple):
            return None  # arithmetic on sizes, which every node states itself
        return self._move(node, name.partition(".")[0])

    def _move(self, node: fx.Node, op: str) -> Value:
        value = self.value(node.args[0])
        if isinstance(value, Tensor):
            return self._constant_move(node, value)
        if op in IDENTITIES:
            return value
        if op not in MOVES:
            raise self.refuse(node, "computes outside of quantised modules")
        source = self.codes(node, node.args[0])
        before = self.builder.tensors[source]
        made: list[Value] = []
        parts = MOVES[op](node, before.shape)
        if not parts:
            return value
        for index, (kind, attributes) in enumerate(parts):
            base = self.name(node)
            # A module that only moves lends its name; others hold more than this.
            own = op in ("max_pool2d", "upsample_nearest2d", "max_pool2d_with_indices") and base
            name = base if own else ".".join(part for part in (base, kind) if part)
            name = f"{name}.{index}" if len(parts) > 1 else name
            made.append(Codes(self.builder.add(kind, name, [source], attributes)))
        return made if isinstance(node.meta["val"], list | tuple) else made[0]

    def _constant_move(self, node: fx.Node, value: Tensor) -> Tensor:
        """Constants are the same for all samples: repeated along the first axis they stay one."""
        shape = reading.shape(node)
        if str(node.target) == "aten.expand.default" and len(value) == 1 and shape[1:] == value.shape[1:]:
            return value
        if not all(isinstance(self.value(argument), Tensor) for argument in node.all_input_nodes):
            raise self.refuse(node, "computes a constant from other values")
        arguments = [self.value(argument) for argument in node.args]
        return node.target(*arguments, **node.kwargs)  # type: ignore[operator]

    # One method for each operator, with the arguments of `registered_ops`.

    def _quantize(self, node: fx.Node, x: Any, scale: float, bits: int, lo: int, hi: int) -> Value:
        value = self.value(x)
        if isinstance(value, Tensor):
            return node.target(value, scale, bits, lo, hi)  # type: ignore[operator]
        if not isinstance(value, Real):
            raise self.refuse(node, "quantises what is no input of the network")
        tensor = TensorType(value.name, code_type(bits), reading.shape(node), (scale,))
        known = self.builder.tensors.get(value.name)
        if known is not None and known != tensor:
            raise self.refuse(node, f"reads the input `{value.name}` at another scale than others do")
        return Codes(value.name if known else self.builder.add_input(tensor))

    def _accumulate(self, node: fx.Node, *_: Any) -> Value:
        if len(node.users) > 1:
            raise self.refuse(node, "makes an accumulator that is read more than once")
        return Accumulator(node)

    def _conv(self, node: fx.Node, x: Any, weight: Any, bias: Any, factor: Any, *rest: Any) -> Value:
        *_, scale, bits, lo, hi = rest
        constants = {**self._weights(node), **self._rescale(node, factor)}
        attributes = {**self._window(node, x, rest), "lo": lo, "hi": hi}
        made = self._weighted(node, self.name(node), [x], attributes, constants, scale=(scale,), bits=bits)
        return Codes(made)

    def _round_sum(
        self,
        node: fx.Node,
        acc: Any,
        factor: Any,
        residual: Any,
        step: Any,
        residual_multiplier: Any,
        *formats: Any,
    ) -> Value:
        scale, bits, lo, hi = formats
        pending = self.value(acc)
        if not isinstance(pending, Accumulator):
            raise self.refuse(node, f"rounds `{acc}`, which is no accumulator")
        conv = pending.node
        constants = {**self._weights(conv), **self._rescale(node, factor)}
        residual_m = self.tensor(node, residual_multiplier)
        constants["residual_multiplier"] = Constant.of(residual_m.numpy(), "int64")
        attributes = {**self._window(conv, conv.args[0], conv.args[3:]), "lo": lo, "hi": hi}
        made = self._weighted(
            node,
            self.name(conv),
            [conv.args[0], residual],
            attributes,
            constants,
            output=self.name(node),
            scale=(scale,),
            bits=bits,
        )
        return Codes(made)

    def _dequantize_channels(self, node: fx.Node, acc: Any, scale: Any) -> Value:
        pending = self.value(acc)
        if not isinstance(pending, Accumulator):
            raise self.refuse(node, f"reads `{acc}`, which is no accumulator")
        conv = pending.node
        steps = tuple(self.tensor(node, scale).flatten().tolist())
        attributes = self._window(conv, conv.args[0], conv.args[3:])
        made = self._weighted(
            node, self.name(conv), [conv.args[0]], attributes, self._weights(conv), scale=steps, bits=32
        )
        return Result(made)

    def _dequantize(self, node: fx.Node, codes: Any, scale: float) -> Value:
        name = self.codes(node, codes)
        if self.builder.tensors[name].scale != (scale,):
            raise self.refuse(node, f"takes `{name}` for codes of another scale")
        return Result(name)

    def _weighted(
        self,
        node: fx.Node,
        name: str,
        inputs: list[Any],
        attributes: Mapping[str, Attribute],
        constants: dict[str, Constant],
        *,
        output: str | None = None,
        scale: tuple[float, ...],
        bits: int,
    ) -> str:
        sources = [self.codes(node, x) for x in inputs]
        op = "conv" if "groups" in attributes else "linear"
        if op == "linear":
            weight = constants["weight"]
            constants["weight"] = Constant(weight.dtype, weight.shape[:2], weight.data)
        dtype = "int32" if bits == 32 else code_type(bits)
        return self.builder.add(
            op, name, sources, attributes, constants, output=output, dtype=dtype, scale=scale
        )

    def _weights(self, node: fx.Node) -> dict[str, Constant]:
        weight, bias = (self.tensor(node, argument).numpy() for argument in node.args[1:3])
        return {"weight": Constant.of(weight, "int8"), "bias": Constant.of(bias, "int32")}

    def _rescale(self, node: fx.Node, factor: Any) -> dict[str, Constant]:
        factors = self.tensor(node, factor).flatten().numpy()
        m, k = nearest_multiplier(factors)
        if not np.array_equal(np.ldexp(m.astype(np.float64), -k), factors):
            raise self.refuse(node, "rescales by numbers that are not m * 2^-k")
        return {"multiplier": Constant.of(m, "int16"), "shift": Constant.of(k, "int8")}

    def _window(self, node: fx.Node, x: Any, rest: Any) -> dict[str, Attribute]:
        if len(reading.shape(x)) == 2:
            return {}
        stride, padding, dilation, groups = rest[:4]
        return {
            "stride": (stride[0], stride[1]),
            "padding": (padding[0], padding[1]),
            "dilation": (dilation[0], dilation[1]),
            "groups": groups,
        }

    def _rounded(
        self,
        op: str,
        node: fx.Node,
        inputs: list[Any],
        formats: tuple[float, int, int, int],
        attributes: Mapping[str, Attribute],
        constants: Mapping[str, Constant] | None = None,
    ) -> Value:
        scale, bits, lo, hi = formats
        sources = [self.codes(node, x) for x in inputs]
        made = self.builder.add(
            op,
            self.name(node),
            sources,
            {**attributes, "lo": lo, "hi": hi},
            constants,
            dtype=code_type(bits),
            scale=(scale,),
        )
        return Codes(made)

    def _add(self, node: fx.Node, inputs: Any, multipliers: Any, shift: int, *formats: Any) -> Value:
        return self._rounded(
            "add", node, inputs, formats, {"multipliers": tuple(multipliers), "shift": shift}
        )

    def _view_sum(self, node: fx.Node, x: Any, m: int, k: int, views: int, *formats: Any) -> Value:
        return self._rounded(
            "view_sum", node, [x], formats, {"multiplier": m, "shift": k, "num_views": views}
        )

    def _concat(self, node: fx.Node, inputs: Any, ms: Any, ks: Any, *formats: Any) -> Value:
        return self._rounded("concat", node, inputs, formats, {"multipliers": tuple(ms), "shifts": tuple(ks)})

    def _resize_bilinear(self, node: fx.Node, x: Any, size: Any, m: int, k: int, *formats: Any) -> Value:
        return self._rounded(
            "resize_bilinear", node, [x], formats, {"size": tuple(size), "multiplier": m, "shift": k}
        )

    def _avg_pool(
        self, node: fx.Node, x: Any, m: int, k: int, kernel: Any, stride: Any, *formats: Any
    ) -> Value:
        window = {"kernel": tuple(kernel), "stride": tuple(stride)}
        return self._rounded("avg_pool", node, [x], formats, {"multiplier": m, "shift": k, **window})

    def _multiply(self, node: fx.Node, x: Any, gate: Any, m: int, k: int, *formats: Any) -> Value:
        return self._rounded("multiply", node, [x, gate], formats, {"multiplier": m, "shift": k})

    def _lookup(self, node: fx.Node, x: Any, table: Any, in_bits: int, *formats: Any) -> Value:
        codes = self.tensor(node, table).numpy()
        constants = {"table": Constant.of(codes, code_type(formats[1]))}
        return self._rounded("lookup", node, [x], formats, {}, constants)

    def _grid_sample(
        self, node: fx.Node, x: Any, points: Any, m: int, k: int, fraction_bits: int, *formats: Any
    ) -> Value:
        value = self.value(points)
        constants = {}
        if isinstance(value, Tensor):
            constants["points"] = Constant.of(value.numpy(), "int16")
        inputs = [x] if constants else [x, points]
        attributes = {"multiplier": m, "shift": k, "fraction_bits": fraction_bits}
        return self._rounded("grid_sample", node, inputs, formats, attributes, constants)


_SIZES = frozenset({"aten.sym_size.int", "aten._assert_scalar.default", "aten.sym_constrain_range.default"})
