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

from torch import Tensor, fx
from torch.export import ExportedProgram

from runtime.errors import RunError
from runtime.hbir.export import program as reading
from runtime.hbir.export.moves import IDENTITIES, MOVES, NAMED_BY_MODULE
from runtime.hbir.export.operators import OPERATORS
from runtime.hbir.export.translation import Codes, Result, Translation, Value
from runtime.hbir.graph import Graph
from runtime.hbir.validate import validate


def graph_of_program(
    program: ExportedProgram, *, prefix: str = "", aliases: Mapping[str, str] | None = None
) -> Graph:
    """The graph of a program.

    Args:
        program: called with real inputs, each read by `specgen::quantize` alone; returns results by name.
        prefix: taken off the names of modules, with its dot.
        aliases: other names of some modules, with the prefix.

    Raises:
        RunError: an operator that fixed point does not know, or values used in ways it has no form for.
    """
    to = Translation(program, prefix, aliases or {})
    for node in program.graph.nodes:
        if node.op == "call_function":
            value = _translate(to, node)
            if value is not None:
                to.values[node.name] = value
    outputs = {}
    for key, node in reading.results(program).items():
        value = to.value(node)
        if not isinstance(value, Result):
            raise RunError(f"the result `{key}` of the model is not made by a quantised module")
        outputs[key] = value.name
    return validate(to.builder.graph(outputs))


def _translate(to: Translation, node: fx.Node) -> Value | None:
    if node.target is operator.getitem:
        return to.value(node.args[0])[node.args[1]]
    if not isinstance(node.meta.get("val"), Tensor | list | tuple):
        return None  # arithmetic on sizes, which the shapes of all values tell
    library, _, name = str(node.target).partition(".")
    name = name.partition(".")[0]
    if library != "specgen":
        return _move(to, node, name)
    if name not in OPERATORS:
        raise to.refuse(node, "is no operator that is known")
    return OPERATORS[name](to, node, *node.args)


def _move(to: Translation, node: fx.Node, op: str) -> Value:
    value = to.value(node.args[0]) if node.args else None
    if isinstance(value, Tensor):
        return _constant(to, node, value, op)
    if op in IDENTITIES and value is not None:
        return value
    if op not in MOVES:
        raise to.refuse(node, "computes outside of quantised modules")
    source = to.codes(node, node.args[0])
    parts = MOVES[op](node, to.builder.tensors[source].shape)
    if not parts:
        return Codes(source)
    base = to.name(node)
    made: list[Value] = []
    for index, (kind, attributes) in enumerate(parts):
        # A module that only moves lends its name; others hold more than this.
        name = base if base and op in NAMED_BY_MODULE else ".".join(part for part in (base, kind) if part)
        name = f"{name}.{index}" if len(parts) > 1 else name
        made.append(Codes(to.builder.add(kind, name, [source], attributes)))
    return made if isinstance(node.meta["val"], list | tuple) else made[0]


def _constant(to: Translation, node: fx.Node, value: Tensor, op: str) -> Tensor:
    """Constants are the same for all samples: repeated along the first axis they stay one."""
    if op == "expand" and len(value) == 1 and reading.shape(node)[1:] == value.shape[1:]:
        return value
    if not all(isinstance(to.value(argument), Tensor) for argument in node.all_input_nodes):
        raise to.refuse(node, "computes a constant from other values")
    arguments = [to.value(argument) for argument in node.args]
    return node.target(*arguments, **node.kwargs)  # type: ignore[operator]
