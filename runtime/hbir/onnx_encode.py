"""A graph as an ONNX model: every node calls a model-local function of standard operations.

Stock onnxruntime runs it, Netron shows it. Equal graphs give equal bytes.
"""

from __future__ import annotations

import hashlib
import json

from onnx import AttributeProto, FunctionProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from runtime.hbir.graph import Attribute, Graph, Node
from runtime.hbir.ops import OPERATIONS
from runtime.hbir.ops.onnx_body import DOMAIN, OPSET
from runtime.hbir.ops.operation import Call
from runtime.hbir.tensor_type import Constant, TensorType

FORMAT = "specgen.hbir"
VERSION = 1
# Of ONNX files with functions.
_IR_VERSION = 8
ELEMENT_TYPES: dict[str, int] = {
    "int8": TensorProto.INT8,
    "int16": TensorProto.INT16,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
}


def function_base(op: str) -> str:
    """The name of an operation's usual function: `max_pool` is `MaxPool`."""
    return "".join(part.capitalize() for part in op.split("_"))


def constant_name(node: str, key: str) -> str:
    """The name of a node's constant in the file."""
    return f"{node}:{key}"


def to_onnx(graph: Graph, *, any_batch: bool = False, expose: bool = False) -> ModelProto:
    """The model, for one sample.

    Args:
        any_batch: for any number of samples instead: the first axes get names.
        expose: make every tensor a result, to look at it.
    """
    functions: dict[str, FunctionProto] = {}
    nodes, initializers = [], []
    for node, made in zip(graph.nodes, graph.tensors, strict=True):
        call = OPERATIONS[node.op].call(node, graph.input_types(node), made)
        proto = _call_node(node, made, call)
        function = call.body.function(
            proto.op_type,
            OPERATIONS[node.op].__doc__ or "",
            [attribute.name for attribute in proto.attribute],
        )
        known = functions.setdefault(proto.op_type, function)
        assert known == function, f"two bodies of {proto.op_type}"
        nodes.append(proto)
        constants = {**node.constants, **call.constants}
        initializers += [
            _tensor(constant_name(node.name, key), constants[key])
            for key in call.body.inputs
            if key in constants
        ]
    results = [tensor.name for tensor in graph.tensors] if expose else graph.outputs
    content = helper.make_graph(
        nodes,
        "hbir",
        [_value(tensor, any_batch) for tensor in graph.inputs],
        [_value(graph.types[name], any_batch) for name in results],
        initializers,
        value_info=[_value(tensor, any_batch) for tensor in graph.tensors if tensor.name not in results],
    )
    model = helper.make_model(
        content,
        functions=[functions[name] for name in sorted(functions)],
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, VERSION)],
        ir_version=_IR_VERSION,
        producer_name="specgen",
    )
    scales = {tensor.name: tensor.scale for tensor in (*graph.inputs, *graph.tensors)}
    helper.set_model_props(
        model,
        {"format": FORMAT, "version": str(VERSION), "scales": json.dumps(scales)},
    )
    return model


def content_digest(model: ModelProto) -> str:
    """SHA-256 of a model without the digest that it may carry."""
    bare = ModelProto()
    bare.CopyFrom(model)
    kept = [prop for prop in bare.metadata_props if prop.key != "digest"]
    del bare.metadata_props[:]
    bare.metadata_props.extend(kept)
    return hashlib.sha256(bare.SerializeToString(deterministic=True)).hexdigest()


def to_bytes(model: ModelProto) -> bytes:
    """The model with its digest, as it is written."""
    sealed = ModelProto()
    sealed.CopyFrom(model)
    sealed.metadata_props.add(key="digest", value=content_digest(model))
    return sealed.SerializeToString(deterministic=True)


def _call_node(node: Node, made: TensorType, call: Call) -> NodeProto:
    operation = OPERATIONS[node.op]
    declared = [key for key in (*operation.scalars, *operation.lists) if key in node.attributes]
    attributes: dict[str, Attribute] = {key: node.attributes[key] for key in declared}
    attributes |= call.attributes
    if "to" in call.body.references:
        attributes["to"] = ELEMENT_TYPES[made.dtype]
    name = function_base(node.op)
    tensors = iter(node.inputs)
    constants = {**node.constants, **call.constants}
    return NodeProto(
        name=node.name,
        op_type=f"{name}_{call.variant}" if call.variant else name,
        domain=DOMAIN,
        input=[
            constant_name(node.name, key) if key in constants else next(tensors) for key in call.body.inputs
        ],
        output=[node.output],
        attribute=[_attribute(key, value) for key, value in attributes.items()],
    )


def _attribute(key: str, value: Attribute) -> AttributeProto:
    if isinstance(value, int):
        return AttributeProto(name=key, type=AttributeProto.INT, i=value)
    return AttributeProto(name=key, type=AttributeProto.INTS, ints=value)


def _tensor(name: str, constant: Constant) -> TensorProto:
    return TensorProto(
        name=name,
        data_type=ELEMENT_TYPES[constant.dtype],
        dims=constant.shape,
        raw_data=constant.data,
    )


def _value(tensor: TensorType, any_batch: bool) -> ValueInfoProto:
    shape: list[int | str] = [*tensor.shape]
    if any_batch:
        shape[0] = "samples" if tensor.shape[0] == 1 else f"{tensor.shape[0]}*samples"
    return helper.make_tensor_value_info(tensor.name, ELEMENT_TYPES[tensor.dtype], shape)
