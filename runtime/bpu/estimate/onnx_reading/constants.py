"""Small constants that an ONNX graph computes, such as the shape that a `Reshape` is given, put in as values.

Shape inference needs them, and computes none by itself; here they are bounded before they are computed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

from runtime.bpu.operation import Shape
from runtime.errors import RunError

KEPT_ELEMENTS = 1024
"""Of a constant; more is a weight, whose values nobody needs."""
_ROUNDS = 32
_COMPUTED = (
    *("Constant", "ConstantOfShape", "Concat", "Slice", "Gather", "Reshape", "Transpose", "Cast"),
    *("Unsqueeze", "Squeeze", "Add", "Sub", "Mul", "Div", "Mod", "Floor", "Ceil", "Identity", "Split"),
    *("Equal", "Less", "Greater", "And", "Or", "Not", "Where", "Range", "Min", "Max", "Neg", "Sqrt"),
)


def infer_with_constants(model: ModelProto) -> ModelProto:
    """The model with the shapes that can be told, its small computed constants replaced by their values.

    Raises:
        RunError: shapes at odds.
    """
    for _ in range(_ROUNDS):
        model = _inferred(model)
        if not _fold(model):
            return model
    return _inferred(model)


def tensor_shapes(graph: GraphProto) -> dict[str, Shape]:
    """The shapes of all values that have a fixed one."""
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        tensor = value.type.tensor_type
        if value.type.HasField("tensor_type") and tensor.HasField("shape"):
            sizes = [dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim]
            if None not in sizes:
                shapes[value.name] = tuple(size for size in sizes if size is not None)
    return shapes


def _inferred(model: ModelProto) -> ModelProto:
    # Without `data_prop`, which allocates whatever sizes a damaged file asks for.
    try:
        return shape_inference.infer_shapes(model, strict_mode=True)
    except (shape_inference.InferenceError, RuntimeError, ValueError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise RunError(f"its shapes do not fit each other: {lines[0]}") from error


def _fold(model: ModelProto) -> bool:
    """Replaces what can be computed now; whether there was something."""
    graph = model.graph
    shapes = tensor_shapes(graph)
    known = {tensor.name for tensor in graph.initializer}
    computed: list[NodeProto] = []
    found: dict[str, np.ndarray] = {}
    for node in graph.node:
        if node.domain not in ("", "ai.onnx"):
            continue
        if node.op_type == "Shape" and node.input and node.output and node.input[0] in shapes:
            found[node.output[0]] = _shape_value(node, shapes[node.input[0]])
            known.add(node.output[0])
        elif _is_computable(node, known, shapes):
            computed.append(node)
            known.update(node.output)
    if not computed and not found:
        return False
    found.update(_computed(model, computed, found))
    rest = [node for node in graph.node if not all(name in found for name in node.output)]
    del graph.node[:]
    graph.node.extend(rest)
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in found.items())
    # What has become a constant needs no description of its own.
    described = [value for value in graph.value_info if value.name not in found]
    del graph.value_info[:]
    graph.value_info.extend(described)
    return True


def _is_computable(node: NodeProto, known: set[str], shapes: Mapping[str, Shape]) -> bool:
    """Whether inputs are known, and the size of every result, which must be small."""
    if node.op_type not in _COMPUTED or not all(name in known for name in node.input if name):
        return False
    return all(name in shapes and math.prod(shapes[name]) <= KEPT_ELEMENTS for name in node.output)


def _shape_value(node: NodeProto, shape: Shape) -> np.ndarray:
    ends = {attribute.name: attribute.i for attribute in node.attribute}
    return np.array(shape[ends.get("start", 0) : ends.get("end", len(shape))], dtype=np.int64)


def _computed(
    model: ModelProto, nodes: list[NodeProto], found: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    if not nodes:
        return {}
    names = [name for node in nodes for name in node.output if name]
    read = {name for node in nodes for name in node.input}
    constants = [tensor for tensor in model.graph.initializer if tensor.name in read]
    constants += [numpy_helper.from_array(value, name) for name, value in found.items() if name in read]
    outputs = [helper.make_empty_tensor_value_info(name) for name in names]
    graph = helper.make_graph(nodes, "constants", [], outputs, initializer=constants)
    part = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    try:
        values = ReferenceEvaluator(part).run(None, {})
    except Exception as error:  # whatever numpy says of a damaged constant
        raise RunError(
            f"a constant of the graph cannot be computed ({type(error).__name__}: {error})"
        ) from error
    return {name: np.asarray(value) for name, value in zip(names, values, strict=True)}
