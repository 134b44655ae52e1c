"""Whether a graph is well formed: nothing that passes can overflow, round twice or read what is not there."""

from __future__ import annotations

import math
from collections import Counter

from runtime.errors import RunError
from runtime.hbir.graph import Graph, Node
from runtime.hbir.ops import OPERATIONS
from runtime.hbir.ops.operation import CODES, FORMAT, Operation, code_bounds, refuse
from runtime.hbir.tensor_type import TensorType
from runtime.quantization.arithmetic.rescale import code_range

MAX_ELEMENTS = 2**28
"""Of a tensor of one sample: ten times the largest of a full-size model."""
_MAX_AXES = 8


def validate(graph: Graph) -> Graph:
    """The graph itself.

    Raises:
        RunError: names that repeat, tensors that no node makes before they are read, types and shapes that
            are not those of the operations, constants outside of the arithmetic.
    """
    if len(graph.tensors) != len(graph.nodes):
        raise RunError(f"{len(graph.nodes)} nodes make {len(graph.tensors)} tensors, expected one each")
    _check_names([tensor.name for tensor in (*graph.inputs, *graph.tensors)], "tensors")
    _check_names([node.name for node in graph.nodes], "nodes")
    for tensor in (*graph.inputs, *graph.tensors):
        _check_tensor(tensor)
    for tensor in graph.inputs:
        if tensor.dtype not in CODES:
            raise RunError(f"the input `{tensor.name}` is {tensor.dtype}, expected int8 or int16")
    known = {tensor.name: tensor for tensor in graph.inputs}
    for node, made in zip(graph.nodes, graph.tensors, strict=True):
        missing = [name for name in node.inputs if name not in known]
        if missing:
            raise refuse(node, f"reads `{missing[0]}`, which nothing makes before it")
        if node.output != made.name:
            raise refuse(node, f"makes `{node.output}`, not `{made.name}`")
        _check_node(node, [known[name] for name in node.inputs], made)
        known[made.name] = made
    if not graph.outputs or not set(graph.outputs) <= {tensor.name for tensor in graph.tensors}:
        raise RunError(f"the results {list(graph.outputs)} are not what the nodes make")
    _check_names(list(graph.outputs), "results")
    read = {name for node in graph.nodes for name in node.inputs}
    for tensor in graph.tensors:
        if tensor.dtype == "int32" and (tensor.name in read or tensor.name not in graph.outputs):
            raise RunError(f"the accumulators `{tensor.name}` are read by a node, or are no result")
    return graph


def _check_names(names: list[str], what: str) -> None:
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise RunError(f"the names of {what} repeat: {', '.join(repeated[:5])}")
    if not all(name and name.isprintable() and ":" not in name for name in names):
        raise RunError(f"a name of {what} is empty, or has a colon or unprintable characters")


def _check_tensor(tensor: TensorType) -> None:
    sizes = tensor.shape
    if not 1 <= len(sizes) <= _MAX_AXES or min(sizes) < 1 or math.prod(sizes) > MAX_ELEMENTS:
        raise RunError(f"the tensor `{tensor.name}` is {sizes}: at most {MAX_ELEMENTS} elements are possible")
    if not tensor.scale or not all(0 < scale < math.inf for scale in tensor.scale):
        raise RunError(
            f"the tensor `{tensor.name}` has the scale {tensor.scale[:5]}, expected positive numbers"
        )
    expected = sizes[1] if tensor.dtype == "int32" and len(sizes) > 1 else 1
    if len(tensor.scale) != expected:
        raise RunError(f"the tensor `{tensor.name}` has {len(tensor.scale)} scales, expected {expected}")


def _check_node(node: Node, inputs: list[TensorType], made: TensorType) -> None:
    operation = OPERATIONS.get(node.op)
    if operation is None:
        raise refuse(node, f"is none of {', '.join(OPERATIONS)}")
    _check_attributes(node, operation)
    for tensor in inputs:
        if tensor.dtype not in CODES:
            raise refuse(node, f"reads `{tensor.name}`, which is {tensor.dtype}")
    if operation.makes_accumulators(node):
        if made.dtype != "int32":
            raise refuse(node, f"makes {made.dtype} of accumulators")
    elif operation.moves():
        if (made.dtype, made.scale) != (inputs[0].dtype, inputs[0].scale):
            raise refuse(node, "moves codes to another type or scale")
    else:
        low, high = code_range(made.bits) if made.dtype in CODES else (0, 0)
        lo, hi = code_bounds(node)
        if not low <= lo <= hi <= high or low == high:
            raise refuse(node, f"has bounds {lo} to {hi} for {made.dtype}")
    shape = operation.output(node, inputs)
    if shape != made.shape:
        raise refuse(node, f"makes {shape}, not {made.shape}")


def _check_attributes(node: Node, operation: Operation) -> None:
    scalars = set(operation.scalars)
    if operation.makes_accumulators(node):
        scalars -= set(FORMAT)
    expected = scalars | set(operation.lists)
    if set(node.attributes) != expected:
        raise refuse(node, f"has the attributes {sorted(node.attributes)}, expected {sorted(expected)}")
    for key, value in node.attributes.items():
        if isinstance(value, int) != (key in scalars):
            raise refuse(node, f"has `{key}` of the wrong kind")
    for key, constant in node.constants.items():
        if key not in operation.constants or constant.dtype not in operation.constants[key]:
            raise refuse(node, f"has a constant `{key}` of {constant.dtype}")
