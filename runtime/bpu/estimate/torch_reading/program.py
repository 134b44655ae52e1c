"""Programs of `torch.export` as networks, exported as they are or decomposed (`run_decompositions`).

Only what the program says of itself is read: torch is not imported.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from runtime.bpu.estimate.float_graph import FloatGraph, FloatNode
from runtime.bpu.estimate.lowering import network_of
from runtime.bpu.estimate.network import Network
from runtime.bpu.estimate.torch_reading.calls import CALLS, SPLITS, split_part
from runtime.bpu.operation import Operation, Shape
from runtime.errors import RunError

if TYPE_CHECKING:
    from torch.export import ExportedProgram
    from torch.fx import Node


def operations_of_program(program: ExportedProgram) -> list[Operation]:
    """The operations of an exported module, for the shapes that it was exported with.

    Raises:
        RunError: something in it is not in the hardware model (`network_of_program` says what and goes on);
            its shapes are not fixed.
    """
    return network_of_program(program).complete()


def network_of_program(program: ExportedProgram) -> Network:
    """The operations of an exported module, and what is not among them.

    Raises:
        RunError: its shapes are not fixed.
    """
    return network_of(graph_of_program(program))


def graph_of_program(program: ExportedProgram) -> FloatGraph:
    """The calls of an exported module in the vocabulary of `FloatGraph`.

    Raises:
        RunError: its shapes are not fixed.
    """
    signature = program.graph_signature
    given = set(signature.user_inputs)
    inputs: dict[str, Shape] = {}
    activations: set[str] = set()
    nodes: list[FloatNode] = []
    for node in program.graph_module.graph.nodes:
        if node.op == "placeholder" and node.name in given and _shape(node) is not None:
            inputs[node.name] = _shape(node) or (1,)
            activations.add(node.name)
        elif node.op == "call_function" and any(read.name in activations for read in node.all_input_nodes):
            activations.add(node.name)
            if (described := _described(node, activations)) is not None:
                nodes.append(described)
    outputs = tuple(name for name in signature.user_outputs if name in activations)
    return FloatGraph(inputs, outputs, tuple(nodes))


def _described(node: Node, activations: set[str]) -> FloatNode | None:
    """None for calls that give several parts of a tensor: those that take one of them are described."""
    if node.target is operator.getitem:
        whole: Any = node.args[0]
        if _target(whole) in SPLITS:
            return split_part(_base(whole, node, activations), _arguments(whole))
        return replace(_base(node, node, activations), kind="identity")
    if _target(node) in SPLITS:
        return None
    base = _base(node, node, activations)
    describe = CALLS.get(_target(node))
    return base if describe is None or not base.inputs else describe(base, _arguments(node))


def _base(call: Node, result: Node, activations: set[str]) -> FloatNode:
    """A node of which only inputs and shapes are known; `result` is the call or what takes a part of it."""
    shapes = [(node.name, shape) for node in _read(call) if (shape := _shape(node)) is not None]
    own = [(name, shape) for name, shape in shapes if name in activations]
    return FloatNode(
        kind="unknown",
        inputs=tuple(name for name, _ in own),
        in_shapes=tuple(shape for _, shape in own),
        constants=tuple(shape for name, shape in shapes if name not in activations),
        output=result.name,
        out_shape=_shape(result) or (1,),
        source=str(call.target).rpartition(".")[0] or str(call.target),
        name=_module(call) or result.name,
    )


def _read(call: Node) -> Iterator[Node]:
    """The nodes among the arguments of a call, in their order; twice where one stands twice."""
    open_values: list[Any] = [*reversed([*call.args, *call.kwargs.values()])]
    while open_values:
        value = open_values.pop()
        if isinstance(value, list | tuple):
            open_values += reversed(value)
        elif hasattr(value, "meta"):
            yield value


def _shape(node: Node) -> Shape | None:
    """Of a tensor, or of the first of several; None where there is none.

    Raises:
        RunError: it is not fixed.
    """
    value = node.meta.get("val")
    if isinstance(value, list | tuple):
        value = next((item for item in value if hasattr(item, "shape")), None)
    if value is None or not hasattr(value, "shape"):
        return None
    shape = tuple(value.shape)
    if not all(isinstance(size, int) for size in shape):
        sizes = ", ".join(str(size) for size in shape)
        raise RunError(
            f"`{node.name}` has the shape ({sizes}), which is not fixed",
            hint="export the module without `dynamic_shapes`",
        )
    return shape


def _target(node: Node) -> str:
    """`conv2d` for `aten.conv2d.default` and its in-place form; other libraries keep their name before it."""
    library, _, rest = str(node.target).partition(".")
    name = rest.partition(".")[0]
    if name.endswith("_") and not name.endswith("__"):
        name = name[:-1]
    return name if library == "aten" else f"{library}.{name}"


def _arguments(node: Node) -> dict[str, Any]:
    """The arguments of a call by name, those left out with their defaults."""
    arguments: dict[str, Any] = {}
    schema = getattr(node.target, "_schema", None)
    for position, argument in enumerate(schema.arguments if schema is not None else ()):
        if position < len(node.args):
            arguments[argument.name] = node.args[position]
        else:
            arguments[argument.name] = node.kwargs.get(argument.name, argument.default_value)
    return arguments


def _module(node: Node) -> str:
    """Dotted name of the innermost module that makes the call."""
    stack = node.meta.get("nn_module_stack") or {}
    return str(list(stack.values())[-1][0]) if stack else ""
