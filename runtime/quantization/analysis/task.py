"""The model as the analysis sees it: something that runs on a batch of labelled samples and has losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from runtime.quantization.analysis.capture import watching
from runtime.quantization.graph import QuantizedGraph, graph_of
from runtime.quantization.modules.base import QuantizedModule

Batch = Mapping[str, Any]


@dataclass(frozen=True)
class Task:
    """A converted model and its losses.

    Args:
        model: calibrated, in evaluation.
        losses: runs the model on a batch and returns weighted scalars.
    """

    model: nn.Module
    losses: Callable[[Batch], Mapping[str, Tensor]]

    @property
    def graph(self) -> QuantizedGraph:
        """Of the model."""
        return graph_of(self.model)

    @torch.no_grad()
    def run(self, batch: Batch) -> tuple[float, dict[str, Tensor]]:
        """The sum of the losses, and the results of the network by the names of their operations."""
        outputs: dict[str, Tensor] = {}

        def keep(module: QuantizedModule, inputs: tuple[Any, ...], output: Tensor) -> None:
            outputs[module.name] = output

        with watching(self.graph, keep, set(self.graph.outputs.values())):
            losses = self.losses(batch)
        return float(sum(loss.double().sum() for loss in losses.values())), outputs


def tokens(batch: Batch) -> Sequence[str]:
    """The tokens of the samples of a batch."""
    return [str(token) for token in batch["token"]]
