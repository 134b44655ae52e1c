"""Float ONNX models as networks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from onnx import ModelProto, NodeProto

from runtime.bpu.estimate.float_graph import FloatGraph, FloatNode
from runtime.bpu.estimate.lowering import network_of
from runtime.bpu.estimate.network import Network
from runtime.bpu.estimate.onnx_reading.calls import CALLS, Describe, split_part
from runtime.bpu.estimate.onnx_reading.file import read_onnx, value_shapes, with_shapes
from runtime.bpu.estimate.onnx_reading.values import Arguments, constant_values
from runtime.bpu.operation import Operation, Shape
from runtime.errors import RunError

# Of a tensor whose shape is known, they need no value of it.
_OF_SHAPES = ("Shape", "Size")


def operations_of_onnx(
    model: Path | str | ModelProto, *, input_shapes: Mapping[str, Shape] | None = None
) -> list[Operation]:
    """The operations of a float ONNX model.

    Args:
        model: or the file that it is in.
        input_shapes: for inputs whose sizes are not fixed.

    Raises:
        RunError: something in it is not in the hardware model (`network_of_onnx` says what and goes on); and
            as there.
    """
    return network_of_onnx(model, input_shapes=input_shapes).complete()


def network_of_onnx(
    model: Path | str | ModelProto, *, input_shapes: Mapping[str, Shape] | None = None
) -> Network:
    """The operations of a float ONNX model, and what is not among them; arguments as in `operations_of_onnx`.

    Raises:
        RunError: no readable model, sizes that are not fixed or at odds, or bounds that are exceeded.
    """
    return network_of(graph_of_onnx(model, input_shapes=input_shapes))


def graph_of_onnx(
    model: Path | str | ModelProto, *, input_shapes: Mapping[str, Shape] | None = None
) -> FloatGraph:
    """The nodes of a float ONNX model in the vocabulary of `FloatGraph`; as `network_of_onnx`."""
    if isinstance(model, ModelProto):
        return _graph(model, input_shapes or {})
    path = Path(model)
    loaded = read_onnx(path)
    try:
        return _graph(loaded, input_shapes or {})
    except UnicodeDecodeError as error:
        raise RunError(f"damaged: a name in it is no text ({error.reason})", place=str(path)) from error
    except RunError as error:
        raise RunError(error.message, place=error.place or str(path), hint=error.hint) from error


def _graph(model: ModelProto, input_shapes: Mapping[str, Shape]) -> FloatGraph:
    constants = {tensor.name for tensor in model.graph.initializer}
    constants |= {sparse.values.name for sparse in model.graph.sparse_initializer}
    shaped = with_shapes(model, input_shapes).graph
    shapes, values = value_shapes(shaped), constant_values(shaped)
    inputs = {value.name: shapes[value.name] for value in shaped.input if value.name not in constants}
    activations = set(inputs)
    nodes: list[FloatNode] = []
    for node in shaped.node:
        if not _depends(node, activations):
            continue
        activations.update(name for name in node.output if name)
        arguments = Arguments(node, values)
        outputs = [name for name in node.output if name]
        if node.op_type == "Split" and not node.domain:
            for output in outputs:
                nodes.append(_described(_base(node, output, activations, shapes), split_part, arguments))
        elif outputs:
            base = _base(node, outputs[0], activations, shapes)
            describe = None if node.domain not in ("", "ai.onnx") else CALLS.get(node.op_type)
            nodes.append(base if describe is None else _described(base, describe, arguments))
            # Further results of a call are made by the same work.
            nodes += [
                FloatNode(
                    kind="identity",
                    inputs=(outputs[0],),
                    in_shapes=(base.out_shape,),
                    output=name,
                    out_shape=shapes.get(name, base.out_shape),
                )
                for name in outputs[1:]
            ]
    results = tuple(value.name for value in shaped.output if value.name in activations)
    return FloatGraph(inputs, results, tuple(nodes))


def _described(base: FloatNode, describe: Describe, arguments: Arguments) -> FloatNode:
    """A node whose shapes are known, as its operator says.

    Raises:
        RunError: it is not what its operator can be.
    """
    if base.reason or not base.inputs:
        return base
    try:
        return describe(base, arguments)
    except (IndexError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise RunError(f"not a possible `{base.source}` ({error})", place=base.name) from error


def _depends(node: NodeProto, activations: set[str]) -> bool:
    """Whether a node computes something of an input; what stands in its branches may, too."""
    if node.op_type in _OF_SHAPES and not node.domain:
        return False
    has_branches = any(attribute.HasField("g") for attribute in node.attribute)
    return has_branches or any(name in activations for name in node.input)


def _base(node: NodeProto, output: str, activations: set[str], shapes: Mapping[str, Shape]) -> FloatNode:
    """A node of which only inputs and shapes are known."""
    own = [name for name in node.input if name in activations]
    missing = [name for name in (*own, output) if name not in shapes]
    source = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
    return FloatNode(
        kind="unknown",
        inputs=tuple(own),
        in_shapes=tuple(shapes.get(name, (1,)) for name in own),
        constants=tuple(shapes[name] for name in node.input if name in shapes and name not in activations),
        output=output,
        out_shape=shapes.get(output, (1,)),
        source=source,
        name=node.name or output,
        reason="its shapes cannot be told" if missing else "",
    )
