"""Float ONNX files with every shape known: read within bounds, dynamic sizes fixed, functions opened.

Weights are not needed, so what is large or lies in other files is never read: no other file is opened.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from google.protobuf.message import DecodeError
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, inliner

from runtime.bpu.estimate.onnx_reading.constants import KEPT_ELEMENTS, infer_with_constants, tensor_shapes
from runtime.bpu.operation import Shape
from runtime.errors import RunError

MAX_BYTES = 2**31
"""Of a file: what one protobuf message can hold."""
MAX_NODES = 50_000
"""Of a network, those in the functions that it calls among them."""
MAX_ELEMENTS = 2**40
"""Of a tensor: a thousand times what any chip of the family takes."""


def read_onnx(path: Path) -> ModelProto:
    """The model of a file; weights in other files stay there.

    Raises:
        RunError: no such file, too large, or no ONNX.
    """
    place = str(path)
    if not path.is_file():
        raise RunError("no such file", place=place)
    size = path.stat().st_size
    if size >= MAX_BYTES:
        raise RunError(f"the file has {size} bytes, fewer than {MAX_BYTES} are read", place=place)
    try:
        model = ModelProto.FromString(path.read_bytes())
    except (DecodeError, ValueError) as error:
        raise RunError(
            f"no readable ONNX file ({error})",
            place=place,
            hint="give a float ONNX file, or the `model.hbir.onnx` that the stage `export` writes",
        ) from error
    if not model.graph.node:
        raise RunError("no ONNX model: its graph has no nodes", place=place)
    return model


def with_shapes(model: ModelProto, input_shapes: Mapping[str, Shape]) -> ModelProto:
    """A model without large constants, whose values have shapes where ONNX can tell them.

    Args:
        model: is left as it is.
        input_shapes: for inputs without fixed sizes; may also change those of others.

    Raises:
        RunError: sizes that are not fixed, unknown inputs, shapes at odds, or bounds that are exceeded.
    """
    small = _without_weights(model)
    _fix_inputs(small, input_shapes)
    if small.functions:
        _check_functions(small)
        try:
            small = inliner.inline_local_functions(small)
        except (RuntimeError, ValueError) as error:
            raise RunError(f"its functions cannot be opened: {error}") from error
    if len(small.graph.node) > MAX_NODES:
        raise RunError(f"the graph has {len(small.graph.node)} nodes, at most {MAX_NODES} are estimated")
    return infer_with_constants(small)


def value_shapes(graph: GraphProto) -> dict[str, Shape]:
    """The shapes of all values that have one.

    Raises:
        RunError: a tensor that is too large.
    """
    shapes = tensor_shapes(graph)
    for name, found in shapes.items():
        if min(found, default=0) < 0 or math.prod(found) > MAX_ELEMENTS:
            sizes = "x".join(map(str, found))
            raise RunError(f"`{name}` has the shape {sizes}: at most {MAX_ELEMENTS} elements are estimated")
    return shapes


def _without_weights(model: ModelProto) -> ModelProto:
    """A copy in which large constants are inputs of the same name, type and shape."""
    small = ModelProto()
    for field, value in model.ListFields():
        if field.name != "graph":
            _copy(small, field.name, value)
    for field, value in model.graph.ListFields():
        if field.name not in ("initializer", "sparse_initializer", "value_info", "input"):
            _copy(small.graph, field.name, value)
    constants = {tensor.name for tensor in model.graph.initializer}
    constants |= {sparse.values.name for sparse in model.graph.sparse_initializer}
    small.graph.input.extend(value for value in model.graph.input if value.name not in constants)
    for tensor in model.graph.initializer:
        if min(tensor.dims, default=0) < 0:
            raise RunError(f"the constant `{tensor.name}` has a negative size")
        is_here = tensor.data_location != TensorProto.EXTERNAL
        if is_here and math.prod(tensor.dims) <= KEPT_ELEMENTS:
            small.graph.initializer.append(tensor)
        else:
            _add_constant(small.graph, tensor.name, tensor.data_type, tuple(tensor.dims))
    for sparse in model.graph.sparse_initializer:
        _add_constant(small.graph, sparse.values.name, sparse.values.data_type, tuple(sparse.dims))
    for output in small.graph.output:
        # What the file says of them need not hold for the sizes that are asked for.
        if output.type.HasField("tensor_type"):
            output.type.tensor_type.ClearField("shape")
    return small


def _copy(message: ModelProto | GraphProto, name: str, value: object) -> None:
    field = getattr(message, name)
    if hasattr(field, "extend"):
        field.extend(value)
    elif hasattr(field, "CopyFrom"):
        field.CopyFrom(value)
    else:
        setattr(message, name, value)


def _add_constant(graph: GraphProto, name: str, data_type: int, shape: Shape) -> None:
    graph.input.append(helper.make_tensor_value_info(name, data_type, shape))


def _fix_inputs(model: ModelProto, input_shapes: Mapping[str, Shape]) -> None:
    values = {value.name: value for value in model.graph.input}
    for name, shape in input_shapes.items():
        if name not in values:
            raise RunError(f"no input is named `{name}`", hint=f"the inputs are {', '.join(values)}")
        del values[name].type.tensor_type.shape.dim[:]
        for size in shape:
            values[name].type.tensor_type.shape.dim.add().dim_value = size
    for name, value in values.items():
        found = _shape(value)
        if found is None or None in found:
            sizes, example = "unknown", "1,3,224,224"
            if found is not None:
                sizes = ", ".join("?" if size is None else str(size) for size in found)
                example = ",".join("1" if size is None else str(size) for size in found)
            raise RunError(
                f"the input `{name}` has no fixed shape: ({sizes})",
                hint=f"say which one is meant, as in `--input-shape {name}:{example}`",
            )


def _shape(value: ValueInfoProto) -> tuple[int | None, ...] | None:
    tensor = value.type.tensor_type
    if not value.type.HasField("tensor_type") or not tensor.HasField("shape"):
        return None
    return tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim)


def _check_functions(model: ModelProto) -> None:
    """Counts the nodes that opening the functions gives, before it is done.

    Raises:
        RunError: too many, or a function that calls itself.
    """
    functions = {(function.domain, function.name): function for function in model.functions}
    counts: dict[tuple[str, str], int] = {}
    # Depth first without recursion: a function is counted when those that it calls are.
    stack = list(functions)
    opened: set[tuple[str, str]] = set()
    while stack:
        key = stack[-1]
        called = _calls(functions[key].node)
        inner = [call for call in called if call in functions and call not in counts]
        if key in counts:
            stack.pop()
        elif not inner:
            counts[key] = sum(counts.get(call, 1) for call in called)
            stack.pop()
        elif key in opened:
            raise RunError(f"the function `{key[1]}` calls itself")
        else:
            opened.add(key)
            stack += inner
    total = sum(counts.get(call, 1) for call in _calls(model.graph.node))
    if total > MAX_NODES:
        raise RunError(f"the graph and its functions have {total} nodes, at most {MAX_NODES} are estimated")


def _calls(nodes: Iterable[NodeProto]) -> list[tuple[str, str]]:
    """What nodes call, those in their branches and loops too."""
    calls: list[tuple[str, str]] = []
    open_nodes = list(nodes)
    while open_nodes:
        node = open_nodes.pop()
        calls.append((node.domain, node.op_type))
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                open_nodes += graph.node
    return calls
