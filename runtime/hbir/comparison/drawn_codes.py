"""Codes to run a graph on where no images are at hand."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from runtime.hbir.codes import TORCH_TYPES
from runtime.hbir.graph import Graph
from runtime.hbir.ops.single_node import random_codes
from runtime.hbir.tensor_type import TensorType

# Pixels beyond the edge of a map at which points may lie.
_MARGIN = 2
# Share of the points that are anywhere.
_FAR = 0.1


def drawn_codes(graph: Graph, rng: np.random.Generator, samples: int = 1) -> dict[str, Tensor]:
    """Random codes of all inputs by name, some at the bounds of their type, most points within their map."""
    found = {}
    for tensor in graph.inputs:
        shape = (tensor.shape[0] * samples, *tensor.shape[1:])
        codes = random_codes(rng, tensor.dtype, shape)
        if (near := _near_points(graph, tensor, rng, shape)) is not None:
            codes = np.where(rng.random(shape) < _FAR, codes, near)
        found[tensor.name] = torch.from_numpy(codes).to(TORCH_TYPES[tensor.dtype])
    return found


def _near_points(
    graph: Graph, tensor: TensorType, rng: np.random.Generator, shape: tuple[int, ...]
) -> NDArray[np.int64] | None:
    """Points for the first map that is sampled at this input, None where none is."""
    for node in graph.nodes:
        if node.op == "grid_sample" and node.inputs[1:] == (tensor.name,):
            rows, columns = graph.types[node.inputs[0]].shape[2:]
            info, step = np.iinfo(tensor.dtype), 2 ** node.integer("fraction_bits")
            highest = [(size + _MARGIN) * step for size in (columns, rows)]
            return rng.integers(-_MARGIN * step, highest, size=shape).clip(info.min, info.max)
    return None
