"""Every tensor of a graph by one of the executors, to hold against another's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from runtime.hbir.codes import check_inputs
from runtime.hbir.executor import TorchExecutor
from runtime.hbir.graph import Graph
from runtime.hbir.onnxruntime_executor import OnnxRuntimeExecutor
from runtime.hbir.reference_executor import ReferenceExecutor

Codes = Iterator[tuple[str, NDArray[np.int64]]]
Trace = Callable[[Graph, Mapping[str, Tensor]], Codes]

# None of them tries its convolutions first: where a machine computes them inexactly is what is to be found.


def _by_torch(graph: Graph, inputs: Mapping[str, Tensor]) -> Codes:
    for name, codes in TorchExecutor(graph, check=False).tensors(inputs):
        yield name, codes.numpy().astype(np.int64)


def _by_onnxruntime(graph: Graph, inputs: Mapping[str, Tensor]) -> Codes:
    found = OnnxRuntimeExecutor(graph, expose=True, check=False)(inputs)
    for node in graph.nodes:
        yield node.output, found.pop(node.output).numpy().astype(np.int64)


def _by_reference(graph: Graph, inputs: Mapping[str, Tensor]) -> Codes:
    check_inputs(graph, inputs)
    yield from ReferenceExecutor(graph).tensors({name: codes.numpy() for name, codes in inputs.items()})


TRACES: Mapping[str, Trace] = MappingProxyType(
    {"torch": _by_torch, "onnxruntime": _by_onnxruntime, "reference": _by_reference}
)
"""By the name of the executor: name and codes of every tensor that a node makes, in order. Each raises a
`RunError` for inputs that do not fit the graph."""
