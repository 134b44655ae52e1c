"""What is in an ONNX file: a float network, or a fixed-point graph (docs/hbir.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from runtime.bpu.estimate.as_graph.network_graph import as_graph
from runtime.bpu.estimate.estimate import with_bits
from runtime.bpu.estimate.network import Network
from runtime.bpu.estimate.onnx_reading.file import read_onnx
from runtime.bpu.estimate.onnx_reading.network import graph_of_onnx, network_of_onnx
from runtime.bpu.estimate.subject import Subject
from runtime.bpu.graph_operations import operations_of_graph
from runtime.bpu.operation import Shape
from runtime.errors import RunError
from runtime.hbir.graph import Graph
from runtime.hbir.onnx_file import read_graph
from runtime.hbir.ops.onnx_body import DOMAIN


def network_of_file(
    path: Path, *, bits: int | None = None, input_shapes: Mapping[str, Shape] | None = None
) -> tuple[Subject, Network]:
    """The network of a file, and what to call it.

    Args:
        path: of the file.
        bits: of the activations of a float network; None for 8.
        input_shapes: for inputs of a float network whose sizes are not fixed.

    Raises:
        RunError: see `network_of_onnx` and `read_graph`; bits or shapes for a fixed-point graph, which has
            its own.
    """
    if _is_hbir(path):
        if bits is not None or input_shapes:
            raise RunError(
                "a fixed-point graph has its own widths and shapes",
                place=str(path),
                hint="leave `--bits` and `--input-shape` out",
            )
        return network_of_hbir(path)
    network = network_of_onnx(path, input_shapes=input_shapes)
    widths = bits or 8
    network = replace(network, operations=tuple(with_bits(network.operations, widths)))
    origin = f"float ONNX, batch normalisation folded, int{widths} activations, int8 weights"
    return Subject(str(path), origin, network.run), network


def graph_of_file(path: Path, *, input_shapes: Mapping[str, Shape] | None = None) -> Graph:
    """What the compiler takes of a file: a fixed-point graph, or a float network with 8 bits everywhere.

    Raises:
        RunError: see `graph_of_onnx`, `as_graph` and `read_graph`.
    """
    if _is_hbir(path):
        return read_graph(path)
    return as_graph(graph_of_onnx(path, input_shapes=input_shapes))


def network_of_hbir(path: Path) -> tuple[Subject, Network]:
    """The network of a fixed-point graph, for one sample.

    Raises:
        RunError: see `read_graph`.
    """
    graph = read_graph(path)
    inputs = {tensor.name: tensor.shape for tensor in graph.inputs}
    network = Network(tuple(operations_of_graph(graph)), inputs=inputs)
    return Subject(
        str(path), "a fixed-point graph, in its own widths", network.run, kind="fixed point"
    ), network


def _is_hbir(path: Path) -> bool:
    try:
        return any(function.domain == DOMAIN for function in read_onnx(path).functions)
    except UnicodeDecodeError as error:
        raise RunError(f"damaged: a name in it is no text ({error.reason})", place=str(path)) from error
