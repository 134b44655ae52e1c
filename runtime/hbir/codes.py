"""Between real numbers and the codes that a graph reads and gives: what the host does."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from runtime.errors import RunError
from runtime.hbir.graph import Graph
from runtime.quantization.arithmetic.quantize import dequantize, quantize
from runtime.quantization.arithmetic.rescale import code_range

TORCH_TYPES: dict[str, torch.dtype] = {"int8": torch.int8, "int16": torch.int16, "int32": torch.int32}


def check_inputs(graph: Graph, inputs: Mapping[str, Tensor]) -> int:
    """The number of samples in what a graph is given.

    Raises:
        RunError: inputs that do not fit the graph.
    """
    samples = graph.samples({name: tuple(codes.shape) for name, codes in inputs.items()})
    for tensor in graph.inputs:
        dtype = inputs[tensor.name].dtype
        if dtype != TORCH_TYPES[tensor.dtype]:
            shown = str(dtype).removeprefix("torch.")
            raise RunError(
                f"the input `{tensor.name}` is {shown}, expected {tensor.dtype} codes",
                hint="turn real numbers into codes with `encode`",
            )
    return samples


def encode(graph: Graph, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Integer codes of the network's real inputs, by name."""
    codes = {}
    for tensor in graph.inputs:
        lo, hi = code_range(tensor.bits)
        found = quantize(inputs[tensor.name], tensor.scale[0], lo=lo, hi=hi)
        codes[tensor.name] = found.to(TORCH_TYPES[tensor.dtype])
    return codes


def decode(graph: Graph, outputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """float32 values of the network's results, by name."""
    real = {}
    for name, codes in outputs.items():
        scale = torch.tensor(graph.types[name].scale, dtype=torch.float64, device=codes.device)
        real[name] = dequantize(codes, scale.view(-1, *[1] * (codes.dim() - 2)) if len(scale) > 1 else scale)
    return real
