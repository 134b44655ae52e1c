"""Random valid graphs of several nodes: branches, residuals, several views, points from outside.

For every test that runs a graph in two ways; `drawn_codes(graph, rng)` of the runtime has codes for it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from random_nodes import DRAWS, conv, linear
from random_part import Part

from runtime.hbir.graph import Graph, Node
from runtime.hbir.ops import OPERATIONS
from runtime.hbir.tensor_type import DType, Shape, TensorType
from runtime.hbir.validate import validate

# How often, against 1.
_WEIGHTS = {
    **{"conv": 6, "linear": 4, "add": 2, "concat": 2, "grid_sample": 2},
    **{"resize_bilinear": 2, "view_sum": 2, "reshape": 2},
}
# Tensors larger than this are not read by further convolutions and the like, so that graphs stay quick.
_MAX_ELEMENTS = 4096


def random_graph(rng: np.random.Generator, nodes: int = 12, *, last: str | None = None) -> Graph:
    """A valid graph that runs in milliseconds.

    The inputs are `img`, one to three views, and in about half of the graphs `points`. What no node reads is
    a result, as codes or, behind one more layer, as accumulators; so are a few tensors that nodes read.

    Args:
        rng: the same state gives the same graph.
        nodes: how many, before the layers that make accumulators.
        last: the operation of the last of these nodes; there may be more of them until one fits.
    """
    names, weights = list(DRAWS), np.array([_WEIGHTS.get(op, 1) for op in DRAWS], dtype=np.float64)
    making = _Making(rng)
    while len(making.nodes) < nodes or (last is not None and making.nodes[-1].op != last):
        part = DRAWS[last](making) if last is not None and len(making.nodes) >= nodes - 1 else None
        part = part or DRAWS[str(rng.choice(names, p=weights / weights.sum()))](making)
        if part is not None:
            making.append(part)
    return making.finish()


class _Making:
    """A graph of which some nodes are there: `Tensors` of `random_part`."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.nodes: list[Node] = []
        self._made: list[TensorType] = []
        self._unread: set[str] = set()
        views, channels = int(rng.integers(1, 4)), int(rng.integers(1, 7))
        dtype: DType = "int16" if rng.integers(4) == 0 else "int8"
        self._img = self._input("img", dtype, (views, channels, *rng.integers(4, 13, size=2).tolist()))
        self._points = self._input("points", "int16", (views, *rng.integers(1, 9, size=2).tolist(), 2))
        self._has_points = False

    def any(self, fits: Callable[[TensorType], bool]) -> TensorType | None:
        """One of the tensors that fit; what nobody reads and what is new are likelier."""
        known = [tensor for tensor in (self._img, *self._made) if tensor.dtype != "int32"]
        known = [tensor for tensor in known if fits(tensor) and tensor.elements <= _MAX_ELEMENTS]
        if not known:
            return None
        weights = np.array([(4.0 if x.name in self._unread else 1.0) * 1.2**at for at, x in enumerate(known)])
        return known[int(self.rng.choice(len(known), p=weights / weights.sum()))]

    def points(self, maps: int) -> TensorType | None:
        """The graph's input of points, for as many maps as there are views."""
        if maps != self._points.shape[0]:
            return None
        self._has_points = True
        return self._points

    def append(self, part: Part) -> None:
        """Gives a node its names, and its result a type."""
        name = f"layer{len(self.nodes)}.{part.op}"
        output = f"layer{len(self.nodes)}.sum" if "residual_multiplier" in part.constants else name
        names = tuple(tensor.name for tensor in part.inputs)
        node = Node(name, part.op, names, output, dict(part.attributes), dict(part.constants))
        shape = OPERATIONS[part.op].output(node, part.inputs)
        first = part.inputs[0]
        scale: tuple[float, ...] = first.scale if part.dtype is None else (self._scale(),)
        if part.dtype == "int32":
            scale = tuple(self._scale() for _ in range(shape[1]))
        self._made.append(TensorType(output, part.dtype or first.dtype, shape, scale))
        self.nodes.append(node)
        self._unread -= set(names)
        self._unread.add(output)

    def finish(self) -> Graph:
        """The graph, with results."""
        for tensor in [x for x in self._made if x.name in self._unread]:
            layer = {2: linear, 4: conv}.get(len(tensor.shape))
            part = layer(self, accumulates=True, source=tensor) if layer and self.rng.integers(2) else None
            if part is not None:
                self.append(part)
        results = [
            tensor.name
            for tensor in self._made
            if tensor.name in self._unread or (tensor.dtype != "int32" and self.rng.integers(12) == 0)
        ]
        inputs = (self._img, self._points) if self._has_points else (self._img,)
        return validate(Graph(inputs, tuple(self.nodes), tuple(self._made), tuple(results)))

    def _input(self, name: str, dtype: DType, shape: Shape) -> TensorType:
        return TensorType(name, dtype, shape, (self._scale(),))

    def _scale(self) -> float:
        return float(2.0 ** self.rng.uniform(-8, 0))
