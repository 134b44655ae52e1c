"""Neighbouring layers between which channels may be given other ranges."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from runtime.quantization.graph import QuantizedGraph
from runtime.quantization.modules.conv import WeightedModule


@dataclass(frozen=True)
class LayerPair:
    """Two layers with one tensor between them, which nothing else reads."""

    first: WeightedModule
    second: WeightedModule

    @property
    def groups(self) -> int:
        """Of the second."""
        layer = self.second.layer
        return layer.groups if isinstance(layer, nn.Conv2d) else 1

    @property
    def is_depthwise(self) -> bool:
        """Whether each output channel of the second reads one channel."""
        return self.second.layer.weight.shape[1] == 1

    def making(self) -> Tensor:
        """(C,) largest weight that makes each channel."""
        return self.first.layer.weight.flatten(1).abs().amax(1)

    def reading(self) -> Tensor:
        """(C,) largest weight that reads each channel."""
        return self._kernels().amax(1).flatten()

    def reading_share(self) -> Tensor:
        """(C,) largest share of a weight that reads each channel in the range of its output channel."""
        kernels = self._kernels()
        ranges = kernels.amax(2, keepdim=True)
        return (kernels / torch.where(ranges > 0, ranges, 1.0)).amax(1).flatten()

    def _kernels(self) -> Tensor:
        """(G, O / G, C / G) largest weight of each kernel."""
        weight = self.second.layer.weight
        return weight.abs().reshape(*weight.shape[:2], -1).amax(2).unflatten(0, (self.groups, -1))

    def divide(self, s: Tensor) -> None:
        """Divide the channels of the tensor between by s (C,)."""
        weight = self.first.layer.weight
        weight.div_(s.view(-1, *[1] * (weight.ndim - 1)))
        self.first.bias.div_(s)
        weight = self.second.layer.weight
        columns = s.view(self.groups, 1, -1).expand(-1, len(weight) // self.groups, -1)
        weight.mul_(columns.reshape(*weight.shape[:2], *[1] * (weight.ndim - 2)))


def layer_pairs(graph: QuantizedGraph) -> list[LayerPair]:
    """All pairs with ReLU or nothing between them, in the order in which they run."""
    found = []
    for operation in graph.operations:
        second = graph.modules[operation.name]
        if not isinstance(second, WeightedModule) or second.keep_float or operation.direct != (True,):
            continue
        first = graph.modules[operation.inputs[0]]
        if isinstance(first, WeightedModule) and len(graph.consumers(first.name)) == 1 and _scales(first):
            found.append(LayerPair(first, second))
    return found


def _scales(layer: WeightedModule) -> bool:
    """Whether channels of the result may be divided: the activation lets them, and no rule sets the scale."""
    homogeneous = layer.act is None or isinstance(layer.act, nn.ReLU)
    return homogeneous and not layer.keep_float and not (layer.quant is not None and layer.quant.is_fixed)
