"""Looking at what the quantised modules of a model compute, while it runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from runtime.quantization.arithmetic import quantize
from runtime.quantization.graph import QuantizedGraph
from runtime.quantization.modules.base import QuantizedModule
from runtime.quantization.modules.conv import WeightedModule

See = Callable[[QuantizedModule, tuple[Any, ...], Tensor], None]

# Of a larger tensor so many values of a batch are compared: the float values wait for those of fixed point.
SAMPLE_SIZE = 2**18


@contextlib.contextmanager
def watching(graph: QuantizedGraph, see: See, names: Collection[str] | None = None) -> Iterator[None]:
    """With `see(module, inputs, output)` called for each operation, or for those named, as it runs."""

    def hook(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        assert isinstance(module, QuantizedModule)
        see(module, inputs, output)

    handles = [
        module.register_forward_hook(hook)
        for name, module in graph.modules.items()
        if names is None or name in names
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def real_values(module: QuantizedModule, output: Tensor) -> Tensor:
    """What a module computed in the state QUANTISE, as real numbers: of codes, accumulators or results."""
    if module.is_output or (module.keep_float and module.quant is None):
        return output
    if isinstance(module, WeightedModule) and module.rounded_by is not None:
        assert module.codes is not None
        scale = torch.from_numpy(module.codes.scale * module.sources[0].value()).to(output.device)
        return quantize.dequantize(output, scale.view(-1, *[1] * (output.dim() - 2)))
    return quantize.dequantize(output, module.output_scale())


def sample(x: Tensor) -> Tensor:
    """All values (N,) of a tensor, or of a larger one `SAMPLE_SIZE` at places that depend on its size."""
    flat = x.reshape(-1)
    if len(flat) <= SAMPLE_SIZE:
        return flat.clone()
    places = torch.randint(len(flat), (SAMPLE_SIZE,), generator=torch.Generator().manual_seed(len(flat)))
    return flat[places.to(flat.device)]
