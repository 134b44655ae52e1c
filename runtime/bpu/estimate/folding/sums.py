"""Sums: one operation however many terms, and none where a convolution takes its other term.

As in `runtime.quantization.fuse_add`, of a sum of two a convolution that only it reads, and that has no
activation of its own, adds the other term in its accumulator.
"""

from __future__ import annotations

import math
from dataclasses import replace

from runtime.bpu.estimate.float_graph import FloatGraph, FloatNode
from runtime.bpu.operation import Shape


def fold_sums(graph: FloatGraph) -> FloatGraph:
    """Merges sums of sums, then gives sums of two to a convolution."""
    return _into_convolutions(_merged(graph))


def _merged(graph: FloatGraph) -> FloatGraph:
    uses = graph.uses()
    sums: dict[str, FloatNode] = {}
    dropped: set[str] = set()
    nodes: list[FloatNode] = []
    for node in graph.nodes:
        if node.kind == "add":
            inputs: list[str] = []
            shapes: list[Shape] = []
            for name, shape in zip(node.inputs, node.in_shapes, strict=True):
                inner = sums.get(name)
                if inner is not None and uses[name] == 1 and not inner.clamps and shape == node.out_shape:
                    dropped.add(name)
                    inputs += inner.inputs
                    shapes += inner.in_shapes
                else:
                    inputs.append(name)
                    shapes.append(shape)
            node = replace(node, inputs=tuple(inputs), in_shapes=tuple(shapes))
            sums[node.output] = node
        nodes.append(node)
    return graph.rewritten([node for node in nodes if node.output not in dropped], {})


def _into_convolutions(graph: FloatGraph) -> FloatGraph:
    uses, producers, aliases = graph.uses(), graph.producers(), dict[str, str]()
    taken: dict[str, FloatNode] = {}
    for node in graph.nodes:
        if node.kind != "add" or len(node.inputs) != 2 or node.in_shapes != (node.out_shape,) * 2:
            continue
        makers = [producers.get(name) for name in node.inputs]
        free = [
            (position, conv)
            for position, conv in enumerate(makers)
            if conv is not None and conv.kind == "conv" and not conv.clamps and uses[conv.output] == 1
        ]
        if free:
            # In a block whose shortcut has a convolution as well, the one that does not skip pixels.
            position, conv = min(free, key=lambda pair: (max(pair[1].stride), -_work(pair[1])))
            other = node.inputs[1 - position]
            taken[node.output] = replace(
                conv,
                inputs=(conv.inputs[0], other),
                in_shapes=(conv.in_shapes[0], conv.out_shape),
                clamps=node.clamps,
            )
            aliases[node.output] = conv.output
    # The convolution moves to where its sum was: what it is added to exists by then.
    moved = set(aliases.values())
    nodes = [taken.get(node.output, node) for node in graph.nodes if node.output not in moved]
    return graph.rewritten(nodes, aliases)


def _work(conv: FloatNode) -> int:
    return math.prod(conv.out_shape) * conv.in_shapes[0][1] // conv.groups * math.prod(conv.kernel)
