"""Batch normalisation and constants of each channel become weights of the convolution before them."""

from __future__ import annotations

import math
from dataclasses import replace

from runtime.bpu.estimate.float_graph import FloatGraph, FloatNode
from runtime.bpu.operation import Shape

_FOLDED = ("batch_norm", "add_constant", "multiply_constant")


def fold_constants(graph: FloatGraph) -> FloatGraph:
    """Folds what only scales and shifts channels into the layer with weights that only it reads."""
    uses, aliases = graph.uses(), dict[str, str]()
    producers = graph.producers()
    kept: list[FloatNode] = []
    for node in graph.nodes:
        before = producers.get(node.inputs[0]) if node.inputs else None
        if before is not None and _is_scale_of(node, before) and uses[before.output] == 1:
            aliases[node.output] = before.output
            # The next one looks for the layer, not for what was folded into it.
            producers[node.output] = replace(before, output=node.output)
        else:
            kept.append(node)
    return graph.rewritten(kept, aliases)


def _is_scale_of(node: FloatNode, layer: FloatNode) -> bool:
    if node.kind not in _FOLDED or not layer.has_weights or node.out_shape != node.in_shapes[0]:
        return False
    channel = len(layer.out_shape) - 1 if layer.kind == "linear" else 1
    return node.kind == "batch_norm" or varies_along(node.constant, node.out_shape) in ((), (channel,))


def varies_along(constant: Shape, shape: Shape) -> tuple[int, ...]:
    """The dimensions of `shape` along which a constant that is broadcast to it changes."""
    if math.prod(constant) == 1:
        return ()
    missing = len(shape) - len(constant)
    return tuple(missing + axis for axis, size in enumerate(constant) if size > 1)
