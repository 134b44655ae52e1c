"""A chain of convolutions of one shape, of which everything is known."""

from __future__ import annotations

import numpy as np

from runtime.hbir.graph import Graph, Node
from runtime.hbir.tensor_type import Constant, TensorType
from runtime.hbir.validate import validate


def chain(layers: int, maps: int = 1, *, channels: int = 16, side: int = 64) -> Graph:
    """Convolutions of 3 x 3 that keep the channels and sides of the maps, of so many views."""
    rng, nodes, tensors = np.random.default_rng(0), [], []
    image = TensorType("img", "int8", (maps, channels, side, side), (1.0,))
    for number in range(layers):
        constants = {
            "weight": Constant.of(rng.integers(-127, 128, (channels, channels, 3, 3)), "int8"),
            "bias": Constant.of(np.zeros(channels), "int32"),
            "multiplier": Constant.of(np.full(channels, 2**14), "int16"),
            "shift": Constant.of(np.full(channels, 24), "int8"),
        }
        window = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1, "lo": -128, "hi": 127}
        source = tensors[-1].name if tensors else "img"
        nodes.append(Node(f"conv{number}", "conv", (source,), f"conv{number}", window, constants))
        tensors.append(TensorType(f"conv{number}", "int8", image.shape, (1.0,)))
    return validate(Graph((image,), tuple(nodes), tuple(tensors), (tensors[-1].name,)))
