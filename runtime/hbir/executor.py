"""Runs a graph with torch, on a CPU or a GPU: the kernels that evaluation and training use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from runtime.errors import RunError
from runtime.hbir.codes import TORCH_TYPES, check_inputs
from runtime.hbir.exact_convolutions import check_convolutions
from runtime.hbir.graph import Graph
from runtime.hbir.ops import OPERATIONS


class TorchExecutor:
    """A graph, ready to run on one device.

    Codes are float32 tensors in between; a tensor is let go after the last node that reads it.

    Args:
        graph: a valid one.
        device: where it runs.
        check: try every kind of convolution first, see `check_convolutions`.
        reorder: put the channels of inputs innermost in memory: twice as fast on CPUs.

    Raises:
        RunError: the device computes a convolution inexactly, or has no float64.
    """

    def __init__(
        self, graph: Graph, *, device: torch.device | str = "cpu", check: bool = True, reorder: bool = True
    ) -> None:
        self.graph = graph
        self.device = torch.device(device)
        self._reorder = reorder
        if self.device.type == "mps":
            raise RunError("device `mps` has no float64, which accumulators need", hint="use `--device cpu`")
        on_cpu = self.device.type == "cpu"
        if check:
            check_convolutions(
                graph,
                lambda part: TorchExecutor(part, device=self.device, check=False, reorder=not on_cpu),
                whole_maps=not on_cpu,
            )
        self._kernels = [
            OPERATIONS[node.op].kernel(node, graph.input_types(node), self.device) for node in graph.nodes
        ]

    def __call__(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Integer codes of the inputs, for any number of samples, to those of the results, by name.

        Raises:
            RunError: inputs that do not fit the graph.
        """
        wanted = set(self.graph.outputs)
        found = {name: codes for name, codes in self._run(inputs) if name in wanted}
        return {name: self._integers(name, found[name]) for name in self.graph.outputs}

    def tensors(self, inputs: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
        """Name and integer codes of every tensor that a node makes, in order.

        Raises:
            RunError: inputs that do not fit the graph.
        """
        for name, codes in self._run(inputs):
            yield name, self._integers(name, codes)

    def _integers(self, name: str, codes: Tensor) -> Tensor:
        return codes.to(TORCH_TYPES[self.graph.types[name].dtype])

    def _floats(self, codes: Tensor) -> Tensor:
        x = codes.to(self.device).to(torch.float32)
        innermost = self._reorder and x.dim() == 4 and x.shape[1] > 2
        return x.contiguous(memory_format=torch.channels_last) if innermost else x

    def _run(self, inputs: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
        """Name and codes, as floating point, of every tensor; accumulators are float64."""
        graph = self.graph
        check_inputs(graph, inputs)
        known = {name: self._floats(codes) for name, codes in inputs.items()}
        for position, (node, kernel) in enumerate(zip(graph.nodes, self._kernels, strict=True)):
            with torch.no_grad():
                known[node.output] = kernel(*(known[name] for name in node.inputs))
            yield node.output, known[node.output]
            for name in {*node.inputs, node.output}:
                if graph.last_use.get(name, -1) <= position:
                    del known[name]
