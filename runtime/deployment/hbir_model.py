"""A deployed model in the place of the one that it was exported from: the same batches, the same results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor, nn

from runtime.hbir.codes import decode, encode
from runtime.hbir.graph import Graph
from runtime.models.structure import Batch, BevStructure


class Executor(Protocol):
    """Runs a graph: integer codes of its inputs, by name, to those of its results."""

    graph: Graph

    def __call__(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Run it for any number of samples."""


class HbirModel(nn.Module):
    """The host's part around an executor: sampling points and codes before it, results after it.

    Args:
        structure: the float model that the spec describes; its points and decoders are used, no weight.
        executor: runs the deployed network.
    """

    def __init__(self, structure: BevStructure, executor: Executor) -> None:
        super().__init__()
        self.structure = structure
        self.executor = executor

    def forward(self, batch: Batch) -> dict[str, Any]:
        """Results of each decoder by its name, as `BevStructure` gives them in evaluation."""
        return self.decode(self.raw_outputs(*self.deployed_inputs(batch)))

    def deployed_inputs(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """See `BevStructure.deployed_inputs`."""
        return self.structure.deployed_inputs(batch)

    def raw_outputs(self, img: Tensor, points: Tensor) -> dict[str, Tensor]:
        """Images (B * V, 3, H, W) and points (B * V, h, w, 2), real numbers both, to float32 raw outputs.

        Raises:
            RunError: sizes that the deployed network was not made for.
        """
        graph = self.executor.graph
        codes = self.executor(encode(graph, {"img": img, "points": points}))
        return {name: value.to(img.device) for name, value in decode(graph, codes).items()}

    def decode(self, raw: Mapping[str, Tensor]) -> dict[str, Any]:
        """See `BevStructure.decode`."""
        return self.structure.decode(raw)
