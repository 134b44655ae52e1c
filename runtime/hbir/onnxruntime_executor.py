"""Runs a graph with stock onnxruntime on the CPU: the file as anybody's machine runs it."""

from __future__ import annotations

from collections.abc import Mapping

import onnxruntime
import torch
from torch import Tensor

from runtime.hbir.codes import check_inputs
from runtime.hbir.exact_convolutions import check_convolutions
from runtime.hbir.graph import Graph
from runtime.hbir.onnx_encode import to_onnx


class OnnxRuntimeExecutor:
    """A graph as an onnxruntime session.

    Args:
        graph: a valid one.
        threads: of the session; 0 leaves the choice to onnxruntime.
        expose: let every tensor out, not only the results.
        check: try every kind of convolution first, see `check_convolutions`.

    Raises:
        RunError: onnxruntime computes a convolution inexactly.
    """

    def __init__(self, graph: Graph, *, threads: int = 0, expose: bool = False, check: bool = True) -> None:
        self.graph = graph
        if check:
            check_convolutions(
                graph,
                lambda part: OnnxRuntimeExecutor(part, threads=threads, check=False),
                whole_maps=False,
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            to_onnx(graph, any_batch=True, expose=expose).SerializeToString(),
            options,
            providers=["CPUExecutionProvider"],
        )
        self.names = [output.name for output in self.session.get_outputs()]

    def __call__(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Integer codes of the inputs, for any number of samples, to those of the results, by name.

        Raises:
            RunError: inputs that do not fit the graph.
        """
        check_inputs(self.graph, inputs)
        feeds = {name: codes.cpu().contiguous().numpy() for name, codes in inputs.items()}
        results = self.session.run(self.names, feeds)
        return {name: torch.from_numpy(values) for name, values in zip(self.names, results, strict=True)}
