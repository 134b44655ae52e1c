"""An ONNX model that `onnx_encode` made back to its graph; anything else is refused.

Whatever a file says is checked before memory is given to it. In the end the graph is encoded anew and must
give the same model: function bodies and derived constants, which only onnxruntime reads, then are the known
ones.
"""

from __future__ import annotations

import json
from typing import Any

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

from runtime.errors import RunError
from runtime.hbir.graph import Attribute, Graph, Node
from runtime.hbir.onnx_encode import (
    FORMAT,
    VERSION,
    constant_name,
    content_digest,
    function_base,
    to_onnx,
)
from runtime.hbir.ops import OPERATIONS
from runtime.hbir.ops.onnx_body import DOMAIN
from runtime.hbir.tensor_type import Constant, DType, Shape, TensorType
from runtime.hbir.validate import MAX_ELEMENTS, validate

_MAX_NODES = 2**16
_DTYPES: dict[int, DType] = {
    TensorProto.INT8: "int8",
    TensorProto.INT16: "int16",
    TensorProto.INT32: "int32",
    TensorProto.INT64: "int64",
}
_OPS = {function_base(name): name for name in OPERATIONS}


def from_onnx(model: ModelProto) -> Graph:
    """The graph of a model.

    Raises:
        RunError: the model is foreign, damaged, of another version, or not well formed.
    """
    properties = {prop.key: prop.value for prop in model.metadata_props}
    if properties.get("format") != FORMAT:
        raise RunError("an ONNX model that is no HBIR", hint="take the file that the stage `export` writes")
    if properties.get("version") != str(VERSION):
        raise RunError(
            f"HBIR of version {properties.get('version')!r}, this program reads version {VERSION}",
            hint="run the stage `export` again",
        )
    if properties.get("digest") != content_digest(model):
        raise RunError("the file is damaged: its content is not what its digest says", hint="copy it again")
    graph = validate(_graph(model.graph, properties))
    if content_digest(to_onnx(graph)) != properties["digest"]:
        raise RunError(
            "the file has functions or constants that this program does not write",
            hint="run the stage `export` again",
        )
    return graph


def _graph(proto: GraphProto, properties: dict[str, str]) -> Graph:
    if len(proto.node) > _MAX_NODES:
        raise RunError(f"the graph has {len(proto.node)} nodes, at most {_MAX_NODES} are possible")
    scales = _scales(properties.get("scales", ""))
    values = {value.name: value for value in (*proto.value_info, *proto.output)}
    constants = {tensor.name: tensor for tensor in proto.initializer}
    nodes = [_node(node, constants) for node in proto.node]
    missing = [node.output for node in nodes if node.output not in values]
    if missing:
        raise RunError(f"the tensor `{missing[0]}` has no type")
    return Graph(
        tuple(_tensor(value, scales) for value in proto.input),
        tuple(nodes),
        tuple(_tensor(values[node.output], scales) for node in nodes),
        tuple(value.name for value in proto.output),
    )


def _scales(text: str) -> dict[str, tuple[float, ...]]:
    try:
        found: Any = json.loads(text)
        return {str(name): tuple(float(scale) for scale in values) for name, values in found.items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise RunError(f"the scales of the tensors are not readable ({error})") from error


def _tensor(value: ValueInfoProto, scales: dict[str, tuple[float, ...]]) -> TensorType:
    kind = value.type.tensor_type
    dtype = _DTYPES.get(kind.elem_type)
    if dtype is None or dtype == "int64":
        raise RunError(f"the tensor `{value.name}` has the element type {kind.elem_type}, expected integers")
    shape = tuple(int(size.dim_value) for size in kind.shape.dim)
    return TensorType(value.name, dtype, shape, scales.get(value.name, ()))


def _node(proto: NodeProto, known: dict[str, TensorProto]) -> Node:
    op = _OPS.get(proto.op_type.partition("_")[0])
    if proto.domain != DOMAIN or op is None or len(proto.output) != 1:
        raise RunError(
            f"the node `{proto.name}` calls `{proto.domain}::{proto.op_type}`, which is no operation"
        )
    operation = OPERATIONS[op]
    names = (*operation.scalars, *operation.lists)
    attributes = {
        attribute.name: _attribute(proto, attribute)
        for attribute in proto.attribute
        if attribute.name in names
    }
    constants = {
        key: _constant(known[constant_name(proto.name, key)])
        for key in operation.constants
        if constant_name(proto.name, key) in known
    }
    inputs = tuple(name for name in proto.input if name not in known)
    return Node(proto.name, op, inputs, proto.output[0], attributes, constants)


def _attribute(node: NodeProto, proto: AttributeProto) -> Attribute:
    if proto.type == AttributeProto.INT:
        return int(proto.i)
    if proto.type == AttributeProto.INTS:
        return tuple(proto.ints)
    raise RunError(f"the attribute `{proto.name}` of the node `{node.name}` is no integer")


def _constant(proto: TensorProto) -> Constant:
    shape: Shape = tuple(proto.dims)
    if proto.external_data or proto.data_location != TensorProto.DEFAULT:
        raise RunError(
            f"the constant `{proto.name}` lies outside of the file, which is not allowed",
            hint="take the file that the stage `export` writes",
        )
    dtype = _DTYPES.get(proto.data_type)
    if dtype is None or len(shape) > 8 or any(not 1 <= size <= MAX_ELEMENTS for size in shape):
        raise RunError(f"the constant `{proto.name}` has the type {proto.data_type} and the shape {shape}")
    try:
        return Constant(dtype, shape, bytes(proto.raw_data))
    except ValueError as error:
        raise RunError(f"the constant `{proto.name}` does not fit its shape: {error}") from error
