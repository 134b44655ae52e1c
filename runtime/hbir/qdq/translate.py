"""A graph as a QDQ model. Equal graphs give equal bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from onnx import ModelProto, TensorProto, ValueInfoProto, helper

from runtime.hbir.graph import Graph, Node
from runtime.hbir.onnx_encode import content_digest, to_onnx
from runtime.hbir.qdq import moves, rescaled, resize, weighted
from runtime.hbir.qdq.builder import INT16_OPSET, QdqBuilder
from runtime.hbir.qdq.grid_sample import grid_sample
from runtime.hbir.qdq.lookup import lookup
from runtime.hbir.tensor_type import TensorType

FORMAT = "specgen.qdq"
VERSION = 1

TRANSLATIONS: Mapping[str, Callable[[QdqBuilder, Node], None]] = MappingProxyType(
    {
        "conv": weighted.conv,
        "linear": weighted.linear,
        "add": rescaled.add,
        "multiply": rescaled.multiply,
        "concat": rescaled.concat,
        "lookup": lookup,
        "view_sum": rescaled.view_sum,
        "avg_pool": rescaled.avg_pool,
        "max_pool": moves.max_pool,
        "resize_bilinear": resize.bilinear,
        "resize_nearest": resize.nearest,
        "grid_sample": grid_sample,
        "slice": moves.slice_,
        "reshape": moves.reshape,
        "transpose": moves.transpose,
        "flip": moves.flip,
    }
)
"""What adds the operators of a node, by its operation."""


def to_qdq(graph: Graph, *, any_batch: bool = False) -> ModelProto:
    """The model: float32 inputs and results under the names of the graph.

    Args:
        graph: a valid one.
        any_batch: for any number of samples, not one: the first axes get names.
    """
    to = QdqBuilder(graph, any_batch=any_batch)
    for tensor in graph.inputs:
        if tensor.name not in to.coordinates:
            to.quantize(tensor.name, tensor)
    for node in graph.nodes:
        TRANSLATIONS[node.op](to, node)
    to.finish_outputs()
    used = {name for node in to.nodes for name in node.input}
    content = helper.make_graph(
        to.nodes,
        "qdq",
        [_value(tensor, any_batch, _described(tensor)) for tensor in graph.inputs],
        [_value(graph.types[name], any_batch) for name in graph.outputs],
        [tensor for name, tensor in to.initializers.items() if name in used],
    )
    model = helper.make_model(
        content,
        opset_imports=[helper.make_opsetid("", to.opset)],
        ir_version=10 if to.opset == INT16_OPSET else 8,
        producer_name="specgen",
        doc_string="Fixed-point model; the arithmetic that it stands for is in the HBIR file of that digest.",
    )
    helper.set_model_props(
        model,
        {
            "format": FORMAT,
            "version": str(VERSION),
            "hbir_digest": content_digest(to_onnx(graph)),
            "inputs": json.dumps({tensor.name: _described(tensor) for tensor in graph.inputs}),
        },
    )
    return model


def _described(tensor: TensorType) -> str:
    step = tensor.scale[0]
    return f"float32, rounded to {tensor.dtype} codes of {step:.9g}"


def _value(tensor: TensorType, any_batch: bool, doc: str = "") -> ValueInfoProto:
    shape: list[int | str] = [*tensor.shape]
    if any_batch:
        shape[0] = "samples" if tensor.shape[0] == 1 else f"{tensor.shape[0]}*samples"
    return helper.make_tensor_value_info(tensor.name, TensorProto.FLOAT, shape, doc)
